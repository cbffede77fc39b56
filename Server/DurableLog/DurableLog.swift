package import Model
package import Raft
package import WriteAheadLog

/// What the core asks of a disk, done by the write-ahead log.
///
/// One owner calls it, on a thread that may wait. At start: `open`, for the first servers of a new
/// cluster `bootstrap`, then `recover`, which gives the core its state. Later, for the effects of
/// one or more turns, in their order: `stage` their writes, then one `commit`; when it returns
/// every staged write is on disk, `sendAfterPersist` may go and the core is told `persisted`.
///
/// Every error ends the owner's process. Nothing here is retried: what the disk holds after a
/// failure is known again only at the next start.
package struct DurableLog<Disk: Storage>: ~Copyable {
    var log: WriteAheadLog<Disk>
    /// What is remembered on disk of the other servers of the cluster.
    package private(set) var marks: [NodeID: ServerMark]
    /// How many committed entries may be left unmarked, see `stage`.
    private let commitInterval: UInt64

    /// Opens the log in a directory, or makes one where there is none.
    ///
    /// Which cluster it belongs to only the log itself says, so that a log that was lost is not
    /// taken for the one that belongs to a snapshot.
    ///
    /// - Parameters:
    ///   - disk: The directory, exclusively this server's.
    ///   - server: Whose log it must be.
    ///   - limits: Sizes; `entryBytes` must be at least what the core takes as one proposal.
    ///   - commitInterval: After how many committed entries the commit index is written.
    ///   - number: Of this opening; at random unless a test says.
    /// - Returns: The log, whole up to what was acknowledged.
    /// - Throws: For damage and foreign logs; nothing was changed then.
    package static func open(
        _ disk: Disk,
        server: NodeID,
        limits: WriteAheadLogLimits = .init(),
        commitInterval: UInt64 = 512,
        number: UInt128 = UInt128.random(in: 1...UInt128.max)
    ) throws(DurableLogError) -> DurableLog<Disk> {
        let marks = try MarkFile(disk).read()
        do {
            let identity = LogIdentity(cluster: 0, server: server)
            let log = try WriteAheadLog.open(
                disk,
                identity: identity,
                limits: limits,
                number: number
            )
            let isOurs = marks.cluster == log.identity.cluster
            return DurableLog(
                log: log,
                marks: isOurs ? marks.servers : [:],
                commitInterval: commitInterval
            )
        } catch {
            throw .log(error)
        }
    }

    private init(
        log: consuming WriteAheadLog<Disk>,
        marks: [NodeID: ServerMark],
        commitInterval: UInt64
    ) {
        self.log = log
        self.marks = marks
        self.commitInterval = commitInterval
    }

    /// To whom the log belongs; the cluster is 0 as long as it is not known.
    package var identity: LogIdentity { log.identity }
    /// How often this log was opened, this time included, and the numbers that it drew.
    package var openings: Openings { log.openings }
    /// What was found at the start.
    package var report: RecoveryReport { log.report }
    /// Whether nothing was ever decided here: no entry, no term, no vote.
    package var isUntouched: Bool {
        log.last == .zero && log.state == DurableState()
    }
    /// The length of all segment files in bytes.
    package var sizeBytes: Int { log.sizeBytes }
    /// The last entry, with what is staged.
    package var last: LogPosition { log.last }
    /// The last entry that is gone, with what is staged.
    package var base: LogPosition { log.base }

    // MARK: Writing

    /// Stages the writes of one turn, behind all earlier ones.
    ///
    /// - Parameters:
    ///   - writes: What the core asked for.
    ///   - commit: The core's commit index at the end of that turn, not a later one: entries that
    ///     a later turn replaces must not be marked. It is written along now and then, never for
    ///     its own sake: a start that knows it applies its entries before it hears a leader.
    /// - Throws: For what the log cannot contain or take, and when the disk fails.
    package mutating func stage(
        _ writes: [LogWrite],
        commit: LogIndex
    ) throws(DurableLogError) {
        guard !writes.isEmpty else { return }
        for write in writes { try stage(write) }
        // Entries that are committed are on this disk or staged in front of this record.
        let known = min(commit, log.last.index)
        guard known.rawValue >= log.state.commit.rawValue + commitInterval else { return }
        var state = log.state
        state.commit = known
        try saving(state)
    }

    private mutating func stage(_ write: LogWrite) throws(DurableLogError) {
        switch write {
        case .hardState(let hard):
            guard hard.term >= log.state.term else {
                throw .contradiction("term \(hard.term.rawValue) is older than the log's")
            }
            var state = log.state
            state.term = hard.term
            state.votedFor = hard.votedFor
            try saving(state)
        case .append(let entries):
            for entry in entries { try append(entry) }
        case .truncate(let index):
            guard index >= log.state.commit else {
                throw .contradiction("entry \(index.next.rawValue) is committed, not to be removed")
            }
            try changing { (log) throws(WriteAheadLogError) in try log.truncate(after: index) }
        case .compact(let index):
            try changing { (log) throws(WriteAheadLogError) in try log.compact(through: index) }
        case .reset(let point):
            guard point.index >= log.base.index else {
                throw .contradiction("snapshot \(point.index.rawValue) lies before the log")
            }
            try changing { (log) throws(WriteAheadLogError) in try log.reset(to: point.position) }
        }
    }

    private mutating func append(_ entry: Entry) throws(DurableLogError) {
        guard entry.index == log.last.index.next, entry.term >= log.last.term else {
            throw .contradiction(
                "entry \(entry.index.rawValue) of term \(entry.term.rawValue) after entry "
                    + "\(log.last.index.rawValue) of term \(log.last.term.rawValue)"
            )
        }
        let encoded = EntryCoding.encode(entry)
        try changing { (log) throws(WriteAheadLogError) in try log.append(encoded) }
    }

    mutating func saving(_ state: DurableState) throws(DurableLogError) {
        try changing { (log) throws(WriteAheadLogError) in try log.save(state) }
    }

    /// Makes one change; the core has made it already, so that a refusal cannot be taken back.
    mutating func changing(
        _ change: (inout WriteAheadLog<Disk>) throws(WriteAheadLogError) -> Void
    ) throws(DurableLogError) {
        do throws(WriteAheadLogError) {
            try change(&log)
        } catch .refused(.notInLog(let index)) {
            throw .contradiction("entry \(index.rawValue) is not in the log")
        } catch .refused(let refusal) {
            throw .full(refusal)
        } catch {
            throw .log(error)
        }
    }

    /// Puts everything staged on disk; when it returns, all of it may be acknowledged.
    package mutating func commit() throws(DurableLogError) {
        try changing { (log) throws(WriteAheadLogError) in try log.commit() }
    }

    /// Names the cluster of a server that did not have one; does nothing when it is the same.
    ///
    /// Before anything of that cluster is stored: its entries, its snapshot, a vote in its terms.
    package mutating func adopt(cluster: UInt128) throws(DurableLogError) {
        guard cluster != log.identity.cluster else { return }
        guard log.identity.cluster == 0, cluster != 0 else {
            var other = log.identity
            other.cluster = cluster
            throw .log(.foreign(file: "the log", expected: other, found: log.identity))
        }
        try changing { (log) throws(WriteAheadLogError) in try log.adopt(cluster: cluster) }
    }

    /// Remembers what was seen of the other servers of the cluster; on disk when it returns.
    package mutating func remember(_ marks: [NodeID: ServerMark]) throws(DurableLogError) {
        guard marks != self.marks else { return }
        try MarkFile(log.disk).write(ServerMarks(cluster: identity.cluster, servers: marks))
        self.marks = marks
    }

    /// Ends the log in order, with the commit index so far.
    package consuming func close(commit: LogIndex) throws(DurableLogError) {
        var state = log.state
        state.commit = max(state.commit, min(commit, log.last.index))
        if state != log.state { try saving(state) }
        do {
            try log.close()
        } catch {
            throw .log(error)
        }
    }

    // MARK: Reading

    /// Whether the log should be given more entries: the disk has space, the log is below its
    /// limits.
    ///
    /// When not: take no proposals and no appends, take a snapshot, give leadership away.
    package func hasRoom() throws(DurableLogError) -> Bool {
        let limits = log.limits
        let count = log.last.index.rawValue - log.base.index.rawValue
        let segmentBytes = limits.segmentSizeBytes
        guard count < UInt64(limits.entries - limits.entries / 8),
            log.sizeBytes / segmentBytes < limits.segments - max(1, limits.segments / 8)
        else { return false }
        do {
            return try log.hasRoom()
        } catch {
            throw .log(error)
        }
    }

    /// Entries that a follower lacks; empty when they are compacted or not on disk.
    package func entries(for read: LogRead) throws(DurableLogError) -> [Entry] {
        try entries(in: read.range, bytesLimit: read.bytesLimit)
    }

    /// Entries from the beginning of `range`; none when they are compacted or not on disk.
    ///
    /// Each is verified again; damage is an error even if the rest of the log is whole.
    package func entries(
        in range: ClosedRange<LogIndex>,
        bytesLimit: Int
    ) throws(DurableLogError) -> [Entry] {
        let found: [LogEntry]
        do throws(WriteAheadLogError) {
            found = try log.entries(in: range, maxBytes: bytesLimit)
        } catch .refused(.notInLog) {
            return []
        } catch {
            throw .log(error)
        }
        var entries: [Entry] = []
        entries.reserveCapacity(found.count)
        for entry in found { entries.append(try EntryCoding.decode(entry)) }
        return entries
    }

    /// Verifies the next records on disk, about `maxBytes` of them, and returns where to go on.
    package func scrub(
        from cursor: ScrubCursor,
        maxBytes: Int
    ) throws(DurableLogError) -> ScrubCursor? {
        do {
            return try log.scrub(from: cursor, maxBytes: maxBytes)
        } catch {
            throw .log(error)
        }
    }
}

extension DurableLog: Sendable where Disk: Sendable {}
