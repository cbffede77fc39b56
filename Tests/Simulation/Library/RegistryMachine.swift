package import Model
package import Raft
package import StateMachine
import StateStore
package import Wire

/// The production state machine with what the simulation wants to know of it.
package struct RegistryMachine: Sendable {
    package private(set) var machine = StateMachine(store: StateStore())
    /// The last entry that was applied.
    package private(set) var applied = LogIndex.zero
    /// Applies requests that come twice, twice: a bug to be caught.
    package var appliesTwice = false

    package init() {}

    /// One entry, as it was applied.
    package struct Effect: Sendable {
        package var index: LogIndex
        /// nil for entries that are not the state machine's.
        package var header: EntryHeader?
        package var command: Command?
        /// nil when the request had taken effect before, or was given up.
        package var answer: RegistryAnswer?
    }

    package mutating func apply(_ entry: Entry, salt: UInt64) throws(WireError) -> Effect {
        applied = entry.index
        var effect = Effect(index: entry.index)
        guard case .command(var payload) = entry.body, var header = EntryHeader(payload) else {
            return effect
        }
        effect.header = header
        if appliesTwice {
            header.request = RequestID(
                origin: UInt128(entry.index.rawValue) << 64,
                start: 1,
                number: 1
            )
            header.write(over: &payload)
        }
        if salt > 0, entry.index.rawValue.isMultiple(of: 8) {
            header.stamp.nanosecondsSinceEpoch += salt << 40
            header.write(over: &payload)
        }
        effect.command = try EntryHeader.command(of: payload)
        var changes = ChangeSet()
        switch try machine.apply(payload, at: entry.index, into: &changes) {
        case .applied(let result): effect.answer = RegistryAnswer(result)
        case .duplicate, .ignored, .mustRestore: break
        }
        return effect
    }

    /// The value that a snapshot of this one holds, its remainder encoded and read again.
    package var restored: RegistryMachine? {
        guard
            let other = StateMachine(store: machine.store, remainder: machine.encodedRemainder)
        else { return nil }
        var copy = self
        copy.machine = other
        return copy
    }

    // MARK: Reading

    package func key(_ key: UInt8) -> RegistrySpecification.Key? {
        guard let entry = machine.store.keyValue(RegistryOperation.name(ofKey: key)).value?.entry
        else { return nil }
        return RegistrySpecification.Key(
            value: entry.value.reversed().reduce(0) { $0 << 8 | UInt64($1) },
            modified: entry.indexes.modify,
            session: entry.session
        )
    }

    package func instance(_ number: UInt8) -> RegistrySpecification.Instance? {
        let node = RegistryOperation.node(of: number)
        guard
            let service = machine.store.service(node: node, id: RegistryOperation.service(number))
                .value,
            let check = machine.store.check(node: node, id: RegistryOperation.check(number)).value
        else { return nil }
        return RegistrySpecification.Instance(
            writer: UInt64(service.port),
            isPassing: check.status == .passing
        )
    }

    /// Sessions with a time to live.
    package var expiringSessions: [String] {
        machine.store.sessions().value.filter { !$0.session.ttl.isEmpty }.map(\.session.id)
    }

    /// A hash of everything in it; equal on two servers with equal `applied`.
    package var digest: Digest {
        var digest = Digest()
        func mix(_ bytes: some Sequence<UInt8>) { for byte in bytes { digest.mix(UInt64(byte)) } }
        let store = machine.store
        for record in store.keyValues(prefix: "").value {
            mix(record.key.utf8)
            mix(record.session.utf8)
            mix(record.entry.value)
            digest.mix(record.lockIndex)
            digest.mix(record.indexes.create.rawValue)
            digest.mix(record.indexes.modify.rawValue)
            digest.mix(store.isLockDelayed(record.key, now: machine.lastStamp) ? 1 : 0)
        }
        for record in store.sessions().value {
            mix(record.session.id.utf8)
            digest.mix(record.session.indexes.create.rawValue)
        }
        for number in UInt8(0)..<RegistryOperation.instances {
            digest.mix(instance(number)?.writer ?? 0)
        }
        digest.mix(store.catalogIndex.rawValue)
        mix(machine.encodedRemainder)
        return digest
    }
}
