import Model
import Raft
import StorageSimulation
import WriteAheadLog

typealias Log = WriteAheadLog<SimulatedStorage>

/// Small enough that a few batches fill a segment.
let smallLimits = WriteAheadLogLimits(
    segmentSizeBytes: 2048,
    entryBytes: 256,
    batchBytes: 1024,
    segments: 64,
    entries: 1000,
    reserveBytes: 0,
    readBytes: 512
)

let identity = LogIdentity(cluster: 7, server: NodeID(rawValue: 11))

func openLog(_ disk: SimulatedStorage) throws(WriteAheadLogError) -> Log {
    try WriteAheadLog.open(disk, identity: identity, limits: smallLimits)
}

func entry(_ index: UInt64, term: UInt64 = 1, bytes: Int = 40) -> LogEntry {
    LogEntry(
        index: LogIndex(rawValue: index),
        term: Term(rawValue: term),
        type: 3,
        timestamp: Timestamp(nanosecondsSinceEpoch: 1_000_000 + index),
        payload: (0..<bytes).map { UInt8(truncatingIfNeeded: $0 + Int(index)) }
    )
}

/// What a log must hold, in the plainest form.
struct LogModel: Hashable {
    /// A change that may be asked of a log.
    enum Change: Hashable {
        case append(LogEntry)
        case save(DurableState)
        case truncate(LogIndex)
        case compact(LogIndex)
        case reset(LogPosition)
    }

    var state = DurableState()
    var base = LogPosition.zero
    var entries: [LogEntry] = []

    var last: LogPosition {
        entries.last.map { LogPosition(index: $0.index, term: $0.term) } ?? base
    }

    private func term(at index: LogIndex) -> Term {
        entries.first { $0.index == index }?.term ?? base.term
    }

    mutating func apply(_ change: Change) {
        switch change {
        case .append(let entry): entries.append(entry)
        case .save(let state): self.state = state
        case .truncate(let index): entries.removeAll { $0.index > index }
        case .compact(let index):
            base = LogPosition(index: index, term: term(at: index))
            entries.removeAll { $0.index <= index }
        case .reset(let position):
            base = position
            entries = []
        }
    }

    /// A change that this log allows.
    func randomChange(using random: inout SeededRandom) -> Change {
        let (low, high) = (base.index.rawValue, last.index.rawValue)
        let within = LogIndex(rawValue: .random(in: low...high, using: &random))
        switch random.below(24) {
        case 0..<3:
            let isNewTerm = random.chance(1, in: 2)
            return .save(
                DurableState(
                    term: isNewTerm ? state.term.next : state.term,
                    votedFor: random.chance(1, in: 3) ? nil : NodeID(rawValue: 11),
                    commit: within
                )
            )
        case 3, 4: return .truncate(within)
        case 5, 6: return .compact(within)
        case 7:
            let ahead = UInt64(random.below(5))
            return .reset(LogPosition(index: LogIndex(rawValue: high + ahead), term: last.term))
        default:
            let isNewTerm = random.chance(1, in: 8)
            let term = isNewTerm ? last.term.next : last.term
            return .append(
                entry(high + 1, term: term.rawValue, bytes: random.below(smallLimits.entryBytes))
            )
        }
    }
}

/// Reads everything that a log holds.
func contents(of log: borrowing Log) throws(WriteAheadLogError) -> LogModel {
    var model = LogModel(state: log.state, base: log.base)
    var next = log.base.index.next
    while next <= log.last.index {
        let entries = try log.entries(in: next...log.last.index, maxBytes: 700)
        model.entries += entries
        next = LogIndex(rawValue: next.rawValue + UInt64(entries.count))
    }
    return model
}

func perform(
    _ change: LogModel.Change,
    on log: inout Log
) throws(WriteAheadLogError) {
    switch change {
    case .append(let entry): try log.append(entry)
    case .save(let state): try log.save(state)
    case .truncate(let index): try log.truncate(after: index)
    case .compact(let index): try log.compact(through: index)
    case .reset(let position): try log.reset(to: position)
    }
}
