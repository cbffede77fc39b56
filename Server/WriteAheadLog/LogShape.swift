import Model
import Raft

/// What the log amounts to, but for the entries themselves.
///
/// Invariant: `base.index <= last.index`; the log holds the entries behind `base` up to `last`.
struct LogShape: Hashable {
    var state = DurableState()
    /// The last entry that is gone, by compaction or a snapshot.
    var base = LogPosition.zero
    var last = LogPosition.zero
    /// How often the log was opened, and the numbers that it drew.
    var openings = Openings()
}

/// Where an entry lies.
struct EntryPlace: Hashable {
    /// 0 when the entry was in a segment that is gone: such an entry is never part of the log.
    var segment: UInt64
    var term: Term
    var offset: UInt32
    var recordBytes: UInt32
}

/// The log as the records so far make it: its shape and where each entry lies.
struct LogImage {
    private(set) var shape: LogShape
    /// Invariant: one for each index behind `shape.base` up to `shape.last`.
    private(set) var places: [EntryPlace]
    private(set) var isClosed = false

    /// A log without entries.
    init() {
        shape = LogShape()
        places = []
    }

    /// The log as a segment's header says it was; where its entries lie is not known.
    ///
    /// Nil when it claims more entries than `limit`: memory is not spent on such a claim.
    init?(_ shape: LogShape, limit: Int) {
        let count = shape.last.index.rawValue - shape.base.index.rawValue
        guard count <= limit else { return nil }
        self.shape = shape
        let unknown = EntryPlace(segment: 0, term: .zero, offset: 0, recordBytes: 0)
        places = Array(repeating: unknown, count: Int(count))
    }

    func place(of index: LogIndex) -> EntryPlace? {
        guard index > shape.base.index, index <= shape.last.index else { return nil }
        return places[Int(index.rawValue - shape.base.index.rawValue) - 1]
    }

    func term(at index: LogIndex) -> Term? {
        index == shape.base.index ? shape.base.term : place(of: index)?.term
    }

    /// Whether the log has this entry, or ends compaction at it.
    ///
    /// An entry that is known by the header's word alone has whatever term is asked for.
    private func contains(_ position: LogPosition) -> Bool {
        guard let term = term(at: position.index) else { return false }
        return term == position.term || place(of: position.index)?.segment == 0
    }

    /// The lowest number of a segment that holds an entry of the log; nil when none does.
    var oldestSegmentNeeded: UInt64? {
        places.lazy.map(\.segment).min()
    }

    /// The first entry whose place is not known; nil in a whole log.
    var firstMissing: LogIndex? {
        places.firstIndex { $0.segment == 0 }.map { place in
            LogIndex(rawValue: shape.base.index.rawValue + UInt64(place) + 1)
        }
    }

    /// Why a record cannot come next; nil when it can.
    func objection(to record: LogRecord) -> String? {
        switch record {
        case .entry(let entry):
            if entry.index != shape.last.index.next {
                return "entry \(entry.index.rawValue) after \(shape.last.index.rawValue)"
            }
            return entry.term < shape.last.term
                ? "term \(entry.term.rawValue) after \(shape.last.term.rawValue)" : nil
        case .state(let state):
            return state.term < shape.state.term
                ? "term \(state.term.rawValue) after \(shape.state.term.rawValue)" : nil
        case .truncate(let position):
            return contains(position)
                ? nil : "entries dropped after \(position.index.rawValue), not in the log"
        case .compact(let position):
            return contains(position)
                ? nil : "entries dropped up to \(position.index.rawValue), not in the log"
        case .reset(let position):
            return position.index < shape.base.index
                ? "a snapshot at \(position.index.rawValue), which was compacted" : nil
        case .opened(let count, _):
            let known = shape.openings.count
            return count != known + 1 ? "opening \(count) after \(known)" : nil
        case .closed:
            return nil
        }
    }

    /// Takes in the next record, to which there is no objection.
    mutating func apply(_ record: LogRecord, segment: UInt64, offset: Int, recordBytes: Int) {
        isClosed = record == .closed
        switch record {
        case .entry(let entry):
            places.append(
                EntryPlace(
                    segment: segment,
                    term: entry.term,
                    offset: UInt32(offset),
                    recordBytes: UInt32(recordBytes)
                )
            )
            shape.last = LogPosition(index: entry.index, term: entry.term)
        case .state(let state):
            shape.state = state
        case .truncate(let position):
            places.removeLast(Int(shape.last.index.rawValue - position.index.rawValue))
            shape.last = position
        case .compact(let position):
            places.removeFirst(Int(position.index.rawValue - shape.base.index.rawValue))
            shape.base = position
        case .reset(let position):
            places.removeAll()
            shape.base = position
            shape.last = position
        case .opened(_, let number):
            shape.openings.open(as: number)
        case .closed:
            break
        }
    }
}
