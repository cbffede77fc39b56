import Model
import StateMachine
import StateStore
import Wire

let origin: UInt128 = 0x0123_4567_89AB_CDEF_0011_2233_4455_6677

func request(_ number: UInt64, start: UInt64 = 1, origin id: UInt128 = origin) -> RequestID {
    RequestID(origin: id, start: start, number: number)
}

func put(_ key: String, _ value: String) -> Command {
    var entry = KeyValueEntry()
    entry.key = key
    entry.value = Array(value.utf8)
    return .keyValue(KeyValueCommand(operation: .set, entry: entry))
}

func entry(
    _ request: RequestID,
    _ command: Command,
    resolved: UInt64 = 0,
    stamp: UInt64 = 1
) -> [UInt8] {
    var bytes = head(.command, request, resolved: resolved, stamp: stamp)
    CommandCoding.encode(command, into: &bytes)
    return bytes
}

func head(
    _ kind: EntryKind,
    _ request: RequestID,
    resolved: UInt64 = 0,
    stamp: UInt64 = 1
) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: EntryHeader.sizeBytes)
    let header = EntryHeader(
        kind: kind,
        stamp: Timestamp(nanosecondsSinceEpoch: stamp),
        request: request,
        resolved: resolved
    )
    header.write(over: &bytes)
    return bytes
}

func number(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
}

/// A state machine with the index of its last entry.
struct Subject {
    var machine: StateMachine
    var index: UInt64 = 0

    init(limits: StateMachineLimits = .init()) {
        machine = StateMachine(store: StateStore(), limits: limits)
    }

    init(_ machine: StateMachine, index: UInt64) {
        self.machine = machine
        self.index = index
    }

    /// What the next entry comes to: the result, or `duplicate`, `ignored`, `restore N`.
    @discardableResult
    mutating func apply(_ entry: [UInt8]) throws(WireError) -> String {
        index += 1
        var changes = ChangeSet()
        switch try machine.apply(entry, at: LogIndex(rawValue: index), into: &changes) {
        case .applied(.done): return "done"
        case .applied(.refused): return "refused"
        case .applied(let result): return "\(result)"
        case .duplicate: return "duplicate"
        case .ignored: return "ignored"
        case .mustRestore(let archive): return "restore \(archive.count)"
        }
    }

    @discardableResult
    mutating func apply(
        _ request: RequestID,
        resolved: UInt64 = 0,
        key: String = "k"
    ) throws(WireError) -> String {
        try apply(entry(request, put(key, "\(index)"), resolved: resolved))
    }

    func value(_ key: String) -> String? {
        machine.store.keyValue(key).value.map { String(decoding: $0.entry.value, as: UTF8.self) }
    }
}
