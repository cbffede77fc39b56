/// Reads a pattern into nodes, refusing what Go refuses in Go's words.
///
/// - Source: Go regexp/syntax: Parse with the Perl flags.
struct RegularExpressionParser {
    typealias Node = RegularExpressionNode
    typealias Failure = RegularExpressionError

    struct Flags {
        var foldsCase = false
        var isMultiline = false
        var dotMatchesNewline = false
    }

    let pattern: [Unicode.Scalar]
    var index = 0
    var flags = Flags()
    private var depth = 0

    private init(_ pattern: [Unicode.Scalar]) {
        self.pattern = pattern
    }

    static func parse(_ pattern: String) throws(Failure) -> Node {
        guard pattern.utf8.count <= FilterLimits.regularExpressionLengthBytes else {
            throw Failure("expression too large", pattern.unicodeScalars.prefix(64))
        }
        var parser = RegularExpressionParser(Array(pattern.unicodeScalars))
        let node = try parser.choice()
        if parser.index < parser.pattern.count {
            throw Failure("unexpected )", parser.pattern)
        }
        return node
    }

    var rest: ArraySlice<Unicode.Scalar> { pattern[index...] }

    /// The scalar at a distance from the current one, or nil past the end.
    func peek(_ distance: Int = 0) -> Unicode.Scalar? {
        index + distance < pattern.count ? pattern[index + distance] : nil
    }

    private mutating func choice() throws(Failure) -> Node {
        var choices: [Node] = []
        while true {
            choices.append(try sequence())
            guard peek() == "|" else { break }
            index += 1
        }
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private mutating func sequence() throws(Failure) -> Node {
        var nodes: [Node] = []
        /// Where the operator before this position began, when it was a repetition.
        var lastRepeat: Int?
        while let scalar = peek(), scalar != "|", scalar != ")" {
            let start = index
            if let (minimum, maximum) = try repetition(scalar) {
                try closeRepetition(minimum, maximum, from: start, after: lastRepeat, on: &nodes)
                lastRepeat = start
                continue
            }
            lastRepeat = nil
            try append(scalar, to: &nodes)
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func append(_ scalar: Unicode.Scalar, to nodes: inout [Node]) throws(Failure) {
        switch scalar {
        case "(":
            if let node = try group() { nodes.append(node) }
        case "[":
            nodes.append(try bracketClass())
        case ".":
            index += 1
            let excluded: [ClosedRange<UInt32>] = flags.dotMatchesNewline ? [] : [0x0A...0x0A]
            nodes.append(.set(ScalarSet(excluded, isNegated: true)))
        case "^":
            index += 1
            nodes.append(.assertion(flags.isMultiline ? .lineStart : .textStart))
        case "$":
            index += 1
            nodes.append(.assertion(flags.isMultiline ? .lineEnd : .textEnd))
        case "\\":
            try appendEscape(to: &nodes)
        default:
            index += 1
            nodes.append(literal(scalar.value))
        }
    }

    func literal(_ value: UInt32) -> Node {
        guard flags.foldsCase, !ScalarSet.foldings(of: value).isEmpty else { return .scalar(value) }
        var set = ScalarSet(foldsCase: true)
        set.insert(value...value)
        return .set(set)
    }

    // MARK: Repetition

    /// Consumes a repetition operator without its `?`, if there is one here.
    private mutating func repetition(_ scalar: Unicode.Scalar) throws(Failure) -> (Int, Int?)? {
        switch scalar {
        case "*", "+", "?":
            index += 1
            return (scalar == "+" ? 1 : 0, scalar == "?" ? 1 : nil)
        case "{":
            return try countedRepetition()
        default:
            return nil
        }
    }

    /// Consumes `{n}`, `{n,}` or `{n,m}`; anything else in braces is literal text.
    private mutating func countedRepetition() throws(Failure) -> (Int, Int?)? {
        let start = index
        let tooMany = FilterLimits.regularExpressionRepeats + 1
        index += 1
        func refuse() throws(Failure) -> Never {
            throw Failure("invalid repeat count", pattern[start..<index])
        }
        if let minimum = count() {
            var maximum: Int? = minimum
            if peek() == "," {
                index += 1
                if peek() == "}" {
                    maximum = nil
                } else if let number = count() {
                    maximum = number
                } else {
                    index = start
                    return nil
                }
            }
            if peek() == "}" {
                index += 1
                if minimum >= tooMany || (maximum ?? 0) >= tooMany { try refuse() }
                if let maximum, minimum > maximum { try refuse() }
                return (minimum, maximum)
            }
        }
        index = start
        return nil
    }

    /// A number without leading zeros; one beyond the limit is read as just beyond it.
    private mutating func count() -> Int? {
        let start = index
        var value = 0
        while let digit = peek().flatMap({ digitValue($0) }), digit < 10 {
            value = min(value * 10 + Int(digit), FilterLimits.regularExpressionRepeats + 1)
            index += 1
        }
        guard index > start else { return nil }
        return pattern[start] == "0" && index - start > 1 ? nil : value
    }

    private mutating func closeRepetition(
        _ minimum: Int,
        _ maximum: Int?,
        from start: Int,
        after lastRepeat: Int?,
        on nodes: inout [Node]
    ) throws(Failure) {
        if peek() == "?" { index += 1 }
        if let lastRepeat {
            throw Failure("invalid nested repetition operator", pattern[lastRepeat..<index])
        }
        guard let last = nodes.popLast() else {
            throw Failure("missing argument to repetition operator", pattern[start..<index])
        }
        let node = Node.repetition(last, minimum: minimum, maximum: maximum)
        if minimum >= 2 || (maximum ?? 0) >= 2,
            !node.repeats(within: FilterLimits.regularExpressionRepeats)
        {
            throw Failure("invalid repeat count", pattern[start..<index])
        }
        nodes.append(node)
    }

    // MARK: Groups

    /// A group, or nil for flags that hold to the end of the group around them.
    private mutating func group() throws(Failure) -> Node? {
        let outer = flags
        if peek(1) == "?" {
            guard try groupFlags() else { return nil }
        } else {
            index += 1
        }
        guard depth < FilterLimits.regularExpressionDepth else {
            throw Failure("expression nests too deeply", pattern.prefix(64))
        }
        depth += 1
        let node = try choice()
        depth -= 1
        guard peek() == ")" else { throw Failure("missing closing )", pattern) }
        index += 1
        flags = outer
        if case .sequence(let nodes) = node, nodes.isEmpty { return .empty }
        return node
    }

    /// Consumes what follows a question mark; true when a group follows, false after bare flags.
    private mutating func groupFlags() throws(Failure) -> Bool {
        let start = index
        if peek(2) == "P", peek(3) == "<", rest.count > 4 {
            guard let end = rest.firstIndex(of: ">") else {
                throw Failure("invalid named capture", rest)
            }
            let name = pattern[start + 4..<end]
            let isWord = name.allSatisfy { scalar in
                ScalarSet.word.contains { $0.contains(scalar.value) }
            }
            guard isWord, !name.isEmpty else {
                throw Failure("invalid named capture", pattern[start...end])
            }
            index = end + 1
            return true
        }
        index += 2
        var changed = flags
        var isOn = true
        var sawFlag = false
        loop: while let scalar = peek() {
            index += 1
            switch scalar {
            case "i": changed.foldsCase = isOn
            case "m": changed.isMultiline = isOn
            case "s": changed.dotMatchesNewline = isOn
            case "U": break
            case "-" where isOn:
                isOn = false
                sawFlag = false
                continue loop
            case ":", ")":
                guard isOn || sawFlag else { break loop }
                flags = changed
                return scalar == ":"
            default: break loop
            }
            sawFlag = true
        }
        throw Failure("invalid or unsupported Perl syntax", pattern[start..<index])
    }
}
