package import Model
package import Raft
package import StateMachine
package import StateStore
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

    /// Everything in it as the bytes of a snapshot: records, carried state, remainder.
    private var encoded: (records: [UInt8], carried: [UInt8], remainder: [UInt8]) {
        var records: [UInt8] = []
        machine.store.writeRecords { (piece: UnsafeRawBufferPointer) in records += piece }
        return (records, machine.store.carriedState, machine.encodedRemainder)
    }

    /// The value that a snapshot of this one holds: encoded and read again.
    package func restored() throws(StateStreamError) -> RegistryMachine {
        let (records, carried, remainder) = encoded
        var restorer = try StateRestorer(carried: carried)
        var framer = RecordFramer()
        try records.withUnsafeBufferPointer { (bytes) throws(StateStreamError) in
            try framer.consume(UnsafeRawBufferPointer(bytes)) { (frame) throws(StateStreamError) in
                try restorer.add(frame)
            }
        }
        try framer.finish { (frame) throws(StateStreamError) in try restorer.add(frame) }
        let store = try restorer.finish(lastIndex: machine.store.lastApplied)
        guard let other = StateMachine(store: store, remainder: remainder) else {
            throw StateStreamError(.malformed, at: 0, "the remainder")
        }
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
        let (records, carried, remainder) = encoded
        for bytes in [records, carried, remainder] {
            digest.mix(UInt64(bytes.count))
            for byte in bytes { digest.mix(UInt64(byte)) }
        }
        return digest
    }
}
