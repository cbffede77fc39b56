/// The fields of a kind of record that a filter may name, and so the operators each allows.
package indirect enum FilterSchema: Sendable {
    case string
    case bool
    case integer
    case strings
    /// A map from any key to a string.
    case map
    /// A map from any key to a record.
    case structures([String: FilterSchema])
    case structure([String: FilterSchema])
    /// A list of records.
    case list([String: FilterSchema])

    /// The field that a selector names; refuses one with a name that leads nowhere.
    package func field(at path: [String]) throws(FilterError) -> FilterSchema {
        var field = self
        for (depth, name) in path.enumerated() {
            guard let next = field.member(name) else {
                let known = path[...depth].joined(separator: ".")
                throw FilterError("Selector \(quoted(known)) is not valid")
            }
            field = next
        }
        return field
    }

    private func member(_ name: String) -> FilterSchema? {
        switch self {
        case .structure(let fields), .list(let fields): fields[name]
        case .map: .string
        case .structures(let fields): .structure(fields)
        case .string, .bool, .integer, .strings: nil
        }
    }

    /// Whether a field of this type can be compared so.
    func supports(_ comparison: FilterOperator) -> Bool {
        switch (self, comparison) {
        case (.string, .isEmpty), (.string, .isNotEmpty): false
        case (.string, _): true
        case (.bool, .equal), (.bool, .notEqual): true
        case (.integer, .equal), (.integer, .notEqual): true
        case (.strings, .isIn), (.map, .isIn), (.structures, .isIn): true
        case (.strings, .notIn), (.map, .notIn), (.structures, .notIn): true
        case (.strings, .isEmpty), (.map, .isEmpty), (.structures, .isEmpty): true
        case (.strings, .isNotEmpty), (.map, .isNotEmpty), (.structures, .isNotEmpty): true
        case (.list, .isEmpty), (.list, .isNotEmpty): true
        default: false
        }
    }
}
