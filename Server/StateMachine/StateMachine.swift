package import Model
package import StateStore
package import Wire

/// What the replicated log decides, as one value: the registry, the requests that took effect, and
/// how the log's indexes map to the registry's.
///
/// Total and deterministic: the same entries give the same value on every server. Copies are
/// snapshots that share structure.
package struct StateMachine: Sendable {
    package private(set) var store: StateStore
    private var requests: RequestTable
    /// What is added to a log index to get the registry's.
    ///
    /// Above 0 once an archive was restored whose indexes were higher than the log's, so that the
    /// registry's never go back.
    package private(set) var indexOffset: UInt64 = 0
    /// The newest stamp; entries with older ones count as stamped with it.
    package private(set) var lastStamp = Timestamp(nanosecondsSinceEpoch: 0)
    private var restore: PartialRestore?
    private let limits: StateMachineLimits

    package init(store: StateStore, limits: StateMachineLimits = .init()) {
        self.store = store
        self.limits = limits
        requests = RequestTable(limit: limits.origins)
    }

    /// What an entry came to.
    package enum Outcome: Sendable {
        case applied(CommandResult)
        /// The request took effect before, or its origin has given it up: nothing was changed.
        case duplicate
        /// A command of a later version that may be passed over.
        case ignored
        /// An archive is complete; call `adopt` or `abandonRestore` before the next entry.
        case mustRestore([UInt8])
    }

    /// Whether an archive is on its way, so that no snapshot of this value can be taken.
    package var isRestoring: Bool { restore != nil }

    /// The registry's index of a place in the log.
    package func stateIndex(of index: LogIndex) -> LogIndex {
        LogIndex(rawValue: index.rawValue + indexOffset)
    }

    /// Applies a committed entry.
    ///
    /// - Parameters:
    ///   - entry: Head and body.
    ///   - header: The head when the caller has it; otherwise it is read.
    ///   - command: The body's command when the caller has it; otherwise it is decoded.
    ///   - index: The entry's place in the log.
    ///   - changes: Gets what was touched.
    /// - Returns: What became of the entry; only `applied` and `mustRestore` concern the registry.
    /// - Throws: For bytes that this version cannot read. They must not be passed over: the servers
    ///   would differ from here on.
    package mutating func apply(
        _ entry: [UInt8],
        header: EntryHeader? = nil,
        command: consuming Command? = nil,
        at index: LogIndex,
        into changes: inout ChangeSet
    ) throws(WireError) -> Outcome {
        guard let header = header ?? EntryHeader(entry) else {
            throw WireError(.syntax, "log entry without a head")
        }
        lastStamp = max(lastStamp, header.stamp)
        dropExpiredRestore()
        guard requests.admit(header.request, resolved: header.resolved, at: index) else {
            return .duplicate
        }
        switch header.kind {
        case .command:
            var known = command.take()
            if known == nil { known = try EntryHeader.command(of: entry) }
            guard let known = known.take() else { return .ignored }
            let result = store.apply(
                known,
                at: stateIndex(of: index),
                stamped: lastStamp,
                into: &changes
            )
            return .applied(result)
        case .restoreBegin: return .applied(beginRestore(entry, header.request))
        case .restoreChunk: return .applied(continueRestore(entry, header.request))
        case .restoreCommit: return finishRestore(entry, header.request)
        }
    }

    // MARK: A user's archive

    private mutating func dropExpiredRestore() {
        guard let restore, restore.startedAt.advanced(by: limits.restoreTime) < lastStamp else {
            return
        }
        self.restore = nil
    }

    private mutating func beginRestore(
        _ entry: [UInt8],
        _ request: RequestID
    ) -> CommandResult {
        guard entry.count == EntryHeader.sizeBytes + 8 else { return .refused(.restoreOrder) }
        let length = entry.number(at: EntryHeader.sizeBytes)
        guard length <= UInt64(limits.restoreBytes) else {
            let text = "an archive of \(length) bytes is over the limit of \(limits.restoreBytes)"
            return .refused(.invalid(text))
        }
        restore = PartialRestore(id: request, startedAt: lastStamp, length: Int(length))
        return .done
    }

    /// Whether a piece belongs to the archive that is on its way.
    private func continuesRestore(_ entry: [UInt8], _ request: RequestID) -> Bool {
        guard let restore, entry.count >= EntryHeader.sizeBytes + 8 else { return false }
        var begin = request
        begin.number = entry.number(at: EntryHeader.sizeBytes)
        return restore.id == begin
    }

    private mutating func continueRestore(
        _ entry: [UInt8],
        _ request: RequestID
    ) -> CommandResult {
        guard continuesRestore(entry, request), var partial = restore else {
            return .refused(.restoreOrder)
        }
        restore = nil
        let chunk = entry.dropFirst(EntryHeader.sizeBytes + 8)
        guard partial.archive.count + chunk.count <= partial.length else {
            return .refused(.restoreOrder)
        }
        partial.archive += chunk
        restore = partial
        return .done
    }

    private mutating func finishRestore(_ entry: [UInt8], _ request: RequestID) -> Outcome {
        guard continuesRestore(entry, request), let restore else {
            return .applied(.refused(.restoreOrder))
        }
        guard restore.archive.count == restore.length else {
            self.restore = nil
            return .applied(.refused(.restoreOrder))
        }
        return .mustRestore(restore.archive)
    }

    /// Takes over the registry of the archive that `apply` gave for the entry at `index`.
    package mutating func adopt(_ archived: StateStore, at index: LogIndex) {
        restore = nil
        store = archived
        let reached = archived.lastApplied.rawValue
        if reached > index.rawValue + indexOffset { indexOffset = reached - index.rawValue }
    }

    /// Forgets the archive, because it cannot be read: every server finds the same.
    package mutating func abandonRestore() {
        restore = nil
    }

    // MARK: In a snapshot

    /// Everything but the registry, for a snapshot's metadata.
    ///
    /// ```
    /// | offset 8 | stamp 8 | the table of requests |
    /// ```
    package var encodedRemainder: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(number: indexOffset)
        bytes.append(number: lastStamp.nanosecondsSinceEpoch)
        requests.encode(into: &bytes)
        return bytes
    }

    /// The value that a snapshot holds; nil when `remainder` is not what `encodedRemainder` gave.
    package init?(
        store: StateStore,
        remainder: [UInt8],
        limits: StateMachineLimits = .init()
    ) {
        self.init(store: store, limits: limits)
        var reader = NumberReader(remainder)
        guard let offset = reader.next(), let stamp = reader.next(), offset <= 1 << 60,
            let requests = RequestTable(&reader, limit: limits.origins), reader.isAtEnd
        else { return nil }
        indexOffset = offset
        lastStamp = Timestamp(nanosecondsSinceEpoch: stamp)
        self.requests = requests
    }
}

/// An archive that comes through the log piece by piece.
struct PartialRestore: Sendable {
    /// The request that began it.
    var id: RequestID
    var startedAt: Timestamp
    var length: Int
    var archive: [UInt8] = []
}

extension Refusal {
    /// Pieces of an archive that do not fit together: another restore came between.
    static let restoreOrder = Refusal.invalid("restore was interrupted by another one; try again")
}

extension EntryHeader {
    /// The command behind the head; nil for one of a later version that may be passed over.
    package static func command(of entry: [UInt8]) throws(WireError) -> Command? {
        try CommandCoding.decode(entry.dropFirst(sizeBytes))
    }
}
