/// A regular expression in the syntax of Go's `regexp`, matched in time linear in the text.
///
/// There are no back-references and no look-around, and so no text can make a match slow: the cost
/// is at most the length of the text times the size of the pattern.
///
/// - Source: Go regexp/syntax (RE2); the texts of the errors are Go's.
/// - Deviation: scripts such as `\p{Greek}` are refused, general categories such as `\pL` are
///   known.
package struct RegularExpression: Sendable {
    private let program: RegularExpressionProgram

    /// Compiles a pattern.
    package init(_ pattern: String) throws(RegularExpressionError) {
        program = try RegularExpressionProgram(RegularExpressionParser.parse(pattern))
    }

    /// Whether the pattern matches anywhere in the text.
    package func matches(_ text: String) -> Bool {
        program.matches(text)
    }
}

/// Why a pattern was refused, in Go's words.
package struct RegularExpressionError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    package var reason: String
    /// The part of the pattern that is wrong.
    package var fragment: String

    init(_ reason: String, _ fragment: some Sequence<Unicode.Scalar>) {
        self.reason = reason
        var text = String.UnicodeScalarView()
        text.append(contentsOf: fragment)
        self.fragment = String(text)
    }

    package var description: String {
        "error parsing regexp: \(reason): `\(fragment)`"
    }
}

/// The parts of a parsed pattern.
indirect enum RegularExpressionNode {
    enum Assertion: Sendable {
        case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary
    }

    case empty
    case scalar(UInt32)
    case set(ScalarSet)
    case assertion(Assertion)
    case sequence([RegularExpressionNode])
    case choice([RegularExpressionNode])
    /// As many as `maximum` copies, or any number when it is nil.
    case repetition(RegularExpressionNode, minimum: Int, maximum: Int?)

    /// Whether nested counted repetitions stay within `limit` copies in all.
    ///
    /// - Source: Go regexp/syntax: repeatIsValid
    func repeats(within limit: Int) -> Bool {
        switch self {
        case .empty, .scalar, .set, .assertion: return true
        case .sequence(let nodes), .choice(let nodes):
            return nodes.allSatisfy { $0.repeats(within: limit) }
        case .repetition(let node, let minimum, let maximum):
            if maximum == 0 { return true }
            // `*`, `+` and `?` are not counted.
            let isCounted = minimum > 1 || (maximum ?? 1) > 1
            let count = isCounted ? maximum ?? minimum : 0
            guard count <= limit else { return false }
            return node.repeats(within: count > 0 ? limit / count : limit)
        }
    }
}
