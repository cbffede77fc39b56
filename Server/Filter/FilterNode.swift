/// The operators that compare what a selector finds with a value.
package enum FilterOperator: Sendable, Equatable {
    case equal, notEqual, isIn, notIn, isEmpty, isNotEmpty, matches, notMatches

    /// The name that an error message gives the operator.
    package var name: String {
        switch self {
        case .equal: "Equal"
        case .notEqual: "Not Equal"
        case .isIn: "In"
        case .notIn: "Not In"
        case .isEmpty: "Is Empty"
        case .isNotEmpty: "Is Not Empty"
        case .matches: "Matches"
        case .notMatches: "Not Matches"
        }
    }
}

/// One comparison as it was written: a selector, an operator and, for most operators, a value.
package struct FilterMatch: Sendable, Equatable {
    /// The names of the selector from the outermost to the innermost, never empty.
    package var selector: [String]
    package var comparison: FilterOperator
    /// The value without its quotes; nil for the emptiness operators.
    package var value: String?

    package init(selector: [String], comparison: FilterOperator, value: String?) {
        self.selector = selector
        self.comparison = comparison
        self.value = value
    }
}

/// A parsed filter that no schema has been asked about yet.
package indirect enum FilterNode: Sendable, Equatable {
    case any([FilterNode])
    case all([FilterNode])
    case not(FilterNode)
    case match(FilterMatch)
}

/// Why a filter was refused; the text is what the HTTP API answers with status 500.
package struct FilterError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, without the words that say where.
    package var reason: String

    package init(_ reason: String) {
        self.reason = reason
    }

    /// The text of every endpoint but `/v1/agent/checks`, which gives only the ``reason``.
    package var description: String {
        "Failed to create boolean expression evaluator: \(reason)"
    }
}
