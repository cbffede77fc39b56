/// Text in aligned columns.
enum Columns {
    /// Rows with two spaces between columns; the last column is not padded.
    ///
    /// - Source: Consul: `members`, `catalog nodes` (columnize).
    static func aligned(_ rows: [[String]]) -> String {
        let rows = rows.map { $0.map(trimmed) }
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], width(cell))
            }
        }
        return rows.map { row in
            row.enumerated().map { column, cell in
                column + 1 == row.count ? cell : padded(cell, to: widths[column] + 2)
            }.joined()
        }.joined(separator: "\n")
    }

    /// Pairs whose second part starts six places behind the longest first part.
    ///
    /// - Source: Consul: `kv get -detailed`, `catalog services -tags` (tabwriter with padding 6).
    static func tabbed(_ rows: [(String, String)]) -> String {
        let longest = rows.map { width($0.0) }.max() ?? 0
        return rows.map { padded($0.0, to: longest + 6) + $0.1 }.joined(separator: "\n")
    }

    private static func width(_ text: String) -> Int {
        text.unicodeScalars.count
    }

    private static func padded(_ text: String, to count: Int) -> String {
        text + String(repeating: " ", count: max(0, count - width(text)))
    }

    /// `text` without white space at its ends.
    static func trimmed(_ text: String) -> String {
        let start = text.drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }
}

extension [String: String] {
    /// `k=v` for every entry, sorted.
    func pairs(separator: String) -> String {
        map { "\($0.key)=\($0.value)" }.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) })
            .joined(separator: separator)
    }
}
