import Model
package import Raft

/// The name of a stored snapshot: `TERM-INDEX-MILLISECONDS.snap`.
package struct SnapshotName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let position: LogPosition
    package let milliseconds: UInt64

    package init(_ metadata: SnapshotMetadata) {
        position = metadata.position
        milliseconds = metadata.created.nanosecondsSinceEpoch / 1_000_000
    }

    /// Nil for a name that no snapshot has.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let term = UInt64(parts[0]), let index = UInt64(parts[1]),
            let milliseconds = UInt64(parts[2])
        else { return nil }
        position = LogPosition(index: LogIndex(rawValue: index), term: Term(rawValue: term))
        self.milliseconds = milliseconds
        // One text for each name: no signs, no leading zeros.
        guard description == text else { return nil }
    }

    package var description: String {
        "\(position.term.rawValue)-\(position.index.rawValue)-\(milliseconds)"
    }

    /// By what they include, then by age.
    package static func < (left: SnapshotName, right: SnapshotName) -> Bool {
        let (one, two) = (left.position, right.position)
        guard one.term == two.term else { return one.term < two.term }
        guard one.index == two.index else { return one.index < two.index }
        return left.milliseconds < right.milliseconds
    }

    static let suffix = ".snap"
    static let savingSuffix = ".saving"
    static let partialSuffix = ".partial"

    var file: String { description + Self.suffix }
    var savingFile: String { description + Self.savingSuffix }
    var partialFile: String { description + Self.partialSuffix }

    static func parse(_ file: String, suffix: String) -> SnapshotName? {
        guard file.hasSuffix(suffix) else { return nil }
        return SnapshotName(String(file.dropLast(suffix.count)))
    }
}
