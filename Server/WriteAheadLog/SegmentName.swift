/// The names of the log's files: the segment's number in 16 hexadecimal digits.
enum SegmentName {
    private static let digits = 16
    private static let finished = ".wal"
    /// A segment that is being made; it holds nothing yet and is removed at start.
    static let unfinished = ".wal.new"

    static func of(_ segment: UInt64) -> String {
        let text = String(segment, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text + finished
    }

    static func unfinished(_ segment: UInt64) -> String {
        of(segment) + ".new"
    }

    /// The segment that a file name stands for; nil for any other file.
    static func number(in name: String) -> UInt64? {
        guard let number = UInt64(name.prefix(digits), radix: 16), number > 0 else { return nil }
        return of(number) == name ? number : nil
    }
}
