package import DurableLog
package import Model
package import Raft
package import StorageSimulation
package import WriteAheadLog

/// A server's real log on a simulated disk of bytes: the production write-ahead log and recovery.
///
/// The abstract disk beside it says what must be there; after every crash both are compared.
package final class ByteLog {
    package let storage = SimulatedStorage()
    private let server: NodeID
    private var log: DurableLog<SimulatedStorage>?
    private var cursor = ScrubCursor()
    /// As of the last start.
    package private(set) var cluster: UInt128 = 0
    package private(set) var start: ServerStart?
    /// What is remembered of other servers.
    package var marks: [NodeID: ServerMark] { log?.marks ?? [:] }

    /// Small segments, so that there are many of them.
    private static let limits = WriteAheadLogLimits(
        segmentSizeBytes: 16 << 10,
        entryBytes: 4 << 10,
        batchBytes: 12 << 10,
        segments: 1024,
        entries: 100_000,
        reserveBytes: 0,
        readBytes: 4 << 10
    )

    /// Says that batches are on disk one batch too early: a bug to be caught.
    package var commitsLate = false

    package init(server: NodeID) {
        self.server = server
    }

    /// Starts from the bytes that are there.
    package func open(
        behind snapshot: StoredSnapshot?,
        first: (cluster: UInt128, ClusterConfiguration)? = nil,
        limits: RaftLimits,
        number: UInt128
    ) throws(DurableLogError) -> RecoveredState {
        log = nil
        cursor = ScrubCursor()
        storage.reopen()
        var log = try DurableLog.open(
            storage,
            server: server,
            limits: Self.limits,
            commitInterval: 16,
            number: number
        )
        if let first { try log.bootstrap(cluster: first.cluster, first.1) }
        cluster = log.identity.cluster
        let state = try log.recover(behind: snapshot, limits: limits)
        start = state.start
        self.log = consume log
        return state
    }

    /// Writes batches and syncs them together.
    package func write(_ batches: ArraySlice<SimulatedDisk.Batch>) throws(DurableLogError) {
        if commitsLate { try log?.commit() }
        for batch in batches { try log?.stage(batch.writes, commit: batch.commit) }
        if !commitsLate { try log?.commit() }
    }

    package func adopt(cluster: UInt128) throws(DurableLogError) {
        try log?.adopt(cluster: cluster)
        self.cluster = cluster
    }

    /// Remembers other servers; on disk when it returns.
    package func remember(_ marks: [NodeID: ServerMark]) throws(DurableLogError) {
        try log?.remember(marks)
    }

    /// Verifies the next piece of the log.
    package func scrub() throws(DurableLogError) {
        cursor = try log?.scrub(from: cursor, maxBytes: 8 << 10) ?? ScrubCursor()
    }

    package func entries(
        in range: ClosedRange<LogIndex>,
        bytesLimit: Int
    ) throws(DurableLogError) -> [Entry] {
        try log?.entries(in: range, bytesLimit: bytesLimit) ?? []
    }

    /// The process ends; the power may fail with it.
    package func stop(losingPower: Bool, using random: inout RandomSource) {
        log = nil
        if losingPower { storage.crash(using: &random) } else { storage.restart() }
    }

    // MARK: Damage

    /// Throws away everything from the damage on, as a careless recovery does.
    package func cut(at damage: LogDamage) {
        var image = storage.image
        for (name, bytes) in image where name >= damage.file {
            guard name == damage.file else {
                image[name] = nil
                continue
            }
            let rest = bytes.count - damage.offset
            image[name] = bytes.prefix(damage.offset) + [UInt8](repeating: 0, count: rest)
        }
        storage.image = image
    }

    /// Turns bits of a record that was written and synced, and not in the last batch.
    ///
    /// Returns false when there is no such record.
    package func rot(using random: inout RandomSource) -> Bool {
        var records: [(file: String, offset: Int, batch: UInt64)] = []
        var file = ""
        let reader = DumpReader(storage, limits: Self.limits)
        do {
            try reader.read { item in
                switch item {
                case .segment(let segment): file = segment.file
                case .record(_, let offset, let batch, _): records.append((file, offset, batch))
                case .damage: break
                }
                return true
            }
        } catch {
            return false
        }
        guard let last = records.last?.batch else { return false }
        let acknowledged = records.filter { $0.batch < last && $0.file == records.last?.file }
        guard let victim = acknowledged.randomElement(using: &random) else { return false }
        storage.damage(
            victim.file,
            at: victim.offset + random.below(24),
            mask: UInt8.random(in: 1...255, using: &random)
        )
        return true
    }
}
