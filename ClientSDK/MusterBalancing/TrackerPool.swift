import Synchronization

/// Where the process keeps the blocks of trackers and ledgers.
///
/// It grows to what was needed at once and never shrinks: memory that a late pick may write to is
/// never unmapped, which is what lets a pick go without a counted reference.
final class TrackerPool: Sendable {
    static let shared = TrackerPool()

    /// Two cache lines, because processors fetch lines in pairs.
    static let bytesPerBlock = 128
    private static let blocksPerChunk = 64

    private struct State {
        var free: [UInt] = []
        /// Blocks given back by balancers that are gone, some with calls still in flight.
        var late: [(trackers: [Tracker], ledger: Ledger)] = []
        var made = 0
    }

    private let state = Mutex(State())

    /// How many blocks were ever made.
    var made: Int { state.withLock(\.made) }

    /// A ledger with these settings.
    func ledger(_ settings: Ledger.Settings) -> Ledger {
        let ledger = Ledger(bits: state.withLock { Self.take(from: &$0) })
        ledger.reset(settings)
        return ledger
    }

    /// A tracker of that ledger's balancer.
    func tracker(of ledger: Ledger) -> Tracker {
        let tracker = Tracker(bits: state.withLock { Self.take(from: &$0) })
        tracker.reset(ledger: ledger)
        return tracker
    }

    /// Takes back a tracker that no table lists; false while it has calls in flight.
    func giveBack(_ tracker: Tracker) -> Bool {
        guard tracker.inFlight == 0 else { return false }
        state.withLock { $0.free.append(tracker.bits) }
        return true
    }

    /// Takes back everything of a balancer that is gone, as soon as no call is in flight.
    func giveBack(_ trackers: [Tracker], _ ledger: Ledger) {
        state.withLock { state in
            state.late.append((trackers, ledger))
            Self.collect(&state)
        }
    }

    private static func take(from state: inout State) -> UInt {
        if state.free.isEmpty { collect(&state) }
        if let block = state.free.popLast() { return block }
        let chunk = UnsafeMutableRawPointer.allocate(
            byteCount: blocksPerChunk * bytesPerBlock,
            alignment: 128
        )
        let wordsPerBlock = bytesPerBlock / 8
        let words = chunk.bindMemory(
            to: Atomic<UInt64>.self,
            capacity: blocksPerChunk * wordsPerBlock
        )
        for index in 0..<blocksPerChunk * wordsPerBlock {
            (words + index).initialize(to: Atomic(0))
        }
        for block in (1..<blocksPerChunk).reversed() {
            state.free.append(UInt(bitPattern: words + block * wordsPerBlock))
        }
        state.made += blocksPerChunk
        return UInt(bitPattern: words)
    }

    /// Frees what has become idle.
    private static func collect(_ state: inout State) {
        state.late.removeAll { group in
            // The ledger is read by every call in flight, so it goes with the last tracker.
            guard group.trackers.allSatisfy({ $0.inFlight == 0 }) else { return false }
            state.free.append(contentsOf: group.trackers.map(\.bits))
            state.free.append(group.ledger.bits)
            return true
        }
    }
}
