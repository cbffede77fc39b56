import Foundation

/// What was counted, per instance and half second, and what was done when.
struct Record {
    /// How long a column of the record is, in seconds.
    static let step = 0.5

    struct Counts {
        var answered = 0
        var failed = 0
    }

    let instances: Int
    private(set) var columns: Int
    /// By instance (from 0), then by column.
    var calls: [[Counts]]
    /// Calls that no instance answered, by column.
    var lost: [Int]
    var events: [Plan.Event] = []

    init(instances: Int, seconds: Double) {
        self.instances = instances
        columns = Int((seconds / Self.step).rounded(.up)) + 1
        calls = Array(
            repeating: Array(repeating: Counts(), count: columns),
            count: instances
        )
        lost = Array(repeating: 0, count: columns)
    }

    /// Forgets the columns after a moment.
    mutating func end(at seconds: Double) {
        columns = min(columns, Int((seconds / Self.step).rounded(.up)) + 1)
        calls = calls.map { Array($0.prefix(columns)) }
        lost = Array(lost.prefix(columns))
    }

    /// The instances, from 0, that answered nothing in the two seconds before a moment.
    func idle(at seconds: Double) -> [Int] {
        let last = max(0, column(at: seconds) - 4)...column(at: seconds)
        return (0..<instances).filter { instance in
            calls[instance][last].allSatisfy { $0.answered == 0 }
        }
    }

    var totalAnswered: Int { calls.joined().reduce(0) { $0 + $1.answered } }
    var totalFailed: Int { calls.joined().reduce(0) { $0 + $1.failed } }
    var totalLost: Int { lost.reduce(0, +) }

    func column(at seconds: Double) -> Int { max(0, min(columns - 1, Int(seconds / Self.step))) }

    func count(_ kind: Plan.Kind) -> Int { events.count { $0.kind == kind } }
}

/// Reads what a consumer appends to its counts file.
///
/// Each line is `milliseconds instance state answered failed`; see `Traffic`.
struct CountsReader {
    private let path: String
    private var offset: UInt64 = 0
    private var rest = ""
    private var before: [Substring: Record.Counts] = [:]
    private(set) var lines = 0

    init(path: String) { self.path = path }

    /// Adds what is new to the column of the present moment.
    mutating func read(into record: inout Record, at seconds: Double) throws {
        guard let file = FileHandle(forReadingAtPath: path) else { return }
        defer {
            // Nothing was written: closing cannot lose anything.
            try? file.close()
        }
        try file.seek(toOffset: offset)
        let data = try file.readToEnd() ?? Data()
        offset += UInt64(data.count)
        rest += String(decoding: data, as: UTF8.self)
        var complete = rest.split(separator: "\n", omittingEmptySubsequences: false)
        let unfinished = complete.removeLast()
        let column = record.column(at: seconds)
        for line in complete {
            let fields = line.split(separator: "\t")
            guard fields.count == 5, let answered = Int(fields[3]), let failed = Int(fields[4])
            else { continue }
            lines += 1
            let old = before[fields[1]] ?? Record.Counts()
            before[Substring(String(fields[1]))] = Record.Counts(answered: answered, failed: failed)
            // An instance that came back on another port counts from zero.
            let newAnswered = answered >= old.answered ? answered - old.answered : answered
            let newFailed = failed >= old.failed ? failed - old.failed : failed
            if fields[1] == "-" {
                record.lost[column] += newFailed
            } else if let number = fields[1].split(separator: "-").last.flatMap({ Int($0) }),
                (1...record.instances).contains(number)
            {
                record.calls[number - 1][column].answered += newAnswered
                record.calls[number - 1][column].failed += newFailed
            }
        }
        rest = String(unfinished)
    }

    /// What the consumer counted in all, calls of instances that are gone included.
    var total: (answered: Int, lost: Int) {
        let all = before["-"] ?? Record.Counts()
        return (all.answered, all.failed)
    }
}
