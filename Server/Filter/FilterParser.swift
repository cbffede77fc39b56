/// A parser of the filter language that fails with the words of the grammar it copies.
///
/// The language is a parsing expression grammar: alternatives are tried in order, and the error of
/// a refused text names everything that was expected at the furthest offset that any of them
/// reached. Each function here is one rule of that grammar; nil means that the rule did not match
/// and that the offset is where it was before. Complexity: linear in the text, as the only rule
/// that recurs remembers its results.
///
/// - Source: Consul: api-docs/features/filtering; the texts of the errors were recorded.
struct FilterParser {
    /// Why `or`-rules stop early: the text nests too deeply.
    private(set) var isTooDeep = false
    let bytes: [UInt8]
    var offset = 0
    /// What the semantic rules refused, in order, each once.
    private(set) var errors: [String] = []

    private var furthest = 0
    private var expected: Set<String> = []
    private var isInverted = false
    private var depth = 0
    private var memo: [Int: (node: FilterNode?, end: Int)] = [:]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Parses the whole text, or says why it cannot be.
    static func parse(_ source: String) throws(FilterError) -> FilterNode {
        guard source.utf8.count <= FilterLimits.expressionLengthBytes else {
            throw FilterError(
                "filter is longer than \(FilterLimits.expressionLengthBytes) bytes"
            )
        }
        var parser = FilterParser(Array(source.utf8))
        let node = parser.input()
        if parser.isTooDeep {
            throw FilterError("filter nests more than \(FilterLimits.expressionDepth) levels")
        }
        if let node, parser.errors.isEmpty {
            return node
        }
        throw FilterError(parser.failureText)
    }

    private var failureText: String {
        guard errors.isEmpty else { return errors.joined(separator: "\n") }
        var wanted = expected
        let wantsEnd = wanted.remove("!.") != nil
        // Byte order, as Go sorts strings.
        var list = wanted.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        if wantsEnd { list.append("EOF") }
        var text = list.dropLast().joined(separator: ", ")
        if let last = list.last { text += text.isEmpty ? last : " or " + last }
        return "\(position(of: furthest)): no match found, expected: \(text)"
    }

    /// Line, column and byte offset; columns count characters from 1, a line break is column 0.
    private func position(of offset: Int) -> String {
        var line = 1
        var column = 0
        for (index, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
            guard index <= offset else { break }
            column += 1
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 0
            }
        }
        if offset >= bytes.count { column += 1 }
        return "\(line):\(column) (\(offset))"
    }

    // MARK: Terminals

    mutating func refuse(rule: String, _ message: String, at offset: Int) {
        let text = "\(position(of: offset)): rule \"\(rule)\": \(message)"
        if !errors.contains(text) { errors.append(text) }
    }

    private mutating func note(_ wanted: String, matched: Bool, at offset: Int) {
        guard matched == isInverted, offset >= furthest else { return }
        if offset > furthest {
            furthest = offset
            expected.removeAll(keepingCapacity: true)
        }
        expected.insert(isInverted ? "!" + wanted : wanted)
    }

    /// Runs a rule as a negative look-ahead: true when it does not match; consumes nothing.
    mutating func not(_ rule: (inout FilterParser) -> Bool) -> Bool {
        let start = offset
        isInverted.toggle()
        let matched = rule(&self)
        isInverted.toggle()
        offset = start
        return !matched
    }

    mutating func literal(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        let matched =
            bytes.count - offset >= count
            && text.withUTF8Buffer { bytes[offset..<offset + count].elementsEqual($0) }
        note(quoted("\(text)"), matched: matched, at: offset)
        if matched { offset += count }
        return matched
    }

    mutating func character(_ name: String, where accepts: (UInt8) -> Bool) -> Bool {
        let matched = offset < bytes.count && accepts(bytes[offset])
        note(name, matched: matched, at: offset)
        if matched { offset += 1 }
        return matched
    }

    /// One character of any kind.
    mutating func anyCharacter() -> Bool {
        let matched = offset < bytes.count
        note(".", matched: matched, at: offset)
        guard matched else { return false }
        offset += 1
        while offset < bytes.count, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
        return true
    }

    mutating func endOfInput() -> Bool {
        not { $0.anyCharacter() }
    }

    mutating func whitespace() -> Bool {
        guard whitespaceCharacter() else { return false }
        while whitespaceCharacter() {}
        return true
    }

    private mutating func whitespaceCharacter() -> Bool {
        character(#"[ \t\r\n]"#) { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
    }

    // MARK: Boolean structure

    private mutating func input() -> FilterNode? {
        _ = whitespace()
        if literal("(") {
            _ = whitespace()
            if let node = anyOf() {
                _ = whitespace()
                if literal(")") {
                    _ = whitespace()
                    if endOfInput() { return node }
                }
            }
        }
        offset = 0
        _ = whitespace()
        guard let node = anyOf() else { return nil }
        _ = whitespace()
        return endOfInput() ? node : nil
    }

    private mutating func anyOf() -> FilterNode? {
        let start = offset
        if let known = memo[start] {
            offset = known.end
            return known.node
        }
        let node = list(of: { $0.allOf() }, separator: "or", make: FilterNode.any)
        memo[start] = (node, offset)
        return node
    }

    private mutating func allOf() -> FilterNode? {
        list(of: { $0.negation() }, separator: "and", make: FilterNode.all)
    }

    private mutating func list(
        of element: (inout FilterParser) -> FilterNode?,
        separator: StaticString,
        make: ([FilterNode]) -> FilterNode
    ) -> FilterNode? {
        guard let first = element(&self) else { return nil }
        var nodes = [first]
        while true {
            let end = offset
            guard whitespace(), literal(separator), whitespace(), let next = element(&self) else {
                offset = end
                break
            }
            nodes.append(next)
        }
        return nodes.count == 1 ? first : make(nodes)
    }

    private mutating func negation() -> FilterNode? {
        guard depth < FilterLimits.expressionDepth else {
            isTooDeep = true
            return nil
        }
        depth += 1
        defer { depth -= 1 }
        let start = offset
        if literal("not"), whitespace(), let node = negation() {
            if case .not(let inner) = node { return inner }
            return .not(node)
        }
        offset = start
        return grouping()
    }

    private mutating func grouping() -> FilterNode? {
        let start = offset
        if literal("(") {
            _ = whitespace()
            if let node = anyOf() {
                _ = whitespace()
                if literal(")") { return node }
            }
        }
        offset = start
        if let match = match() { return .match(match) }
        offset = start
        if literal("(") {
            _ = whitespace()
            if anyOf() != nil {
                _ = whitespace()
                if not({ $0.literal(")") }) {
                    refuse(rule: "grouping", "Unmatched parentheses", at: offset)
                }
            }
        }
        offset = start
        return nil
    }
}
