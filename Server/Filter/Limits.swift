/// The bounds of everything this module builds from text that a client sent.
package enum FilterLimits {
    /// Bytes in one filter expression; a longer one is refused with an error.
    package static let expressionLengthBytes = 64 * 1024
    /// Levels of parentheses and `not` in one filter; deeper nesting is refused with an error.
    package static let expressionDepth = 200
    /// Bytes in one regular expression; a longer one is refused with an error.
    package static let regularExpressionLengthBytes = 16 * 1024
    /// Levels of groups in one regular expression; deeper nesting is refused with an error.
    package static let regularExpressionDepth = 200
    /// Copies that one counted repetition may ask for, nested ones multiplied together.
    ///
    /// - Source: Go regexp/syntax, as `filter=` answers: `invalid repeat count`.
    package static let regularExpressionRepeats = 1000
    /// Instructions of one compiled regular expression; a larger one is refused with an error.
    package static let regularExpressionInstructions = 20_000
}
