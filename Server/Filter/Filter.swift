/// A filter expression that was checked against the fields of one kind of record.
///
/// - Source: Consul: the `filter` parameter, api-docs/features/filtering.
package struct Filter: Sendable {
    private let root: Test

    /// Parses and checks an expression.
    ///
    /// An empty text is not an expression: the caller passes everything then, as Consul does.
    package init(_ source: String, schema: FilterSchema) throws(FilterError) {
        try self.init(FilterParser.parse(source), schema: schema)
    }

    package init(_ node: FilterNode, schema: FilterSchema) throws(FilterError) {
        root = try Test(node, schema)
    }

    /// Whether the record passes the filter.
    package func matches(_ subject: some FilterSubject) -> Bool {
        root.holds(for: subject)
    }
}

/// A checked expression: values have the type of their field, patterns are compiled.
private indirect enum Test: Sendable {
    case any([Test])
    case all([Test])
    case not(Test)
    case comparison(Comparison)

    init(_ node: FilterNode, _ schema: FilterSchema) throws(FilterError) {
        switch node {
        case .any(let nodes): self = .any(try Test.tests(nodes, schema))
        case .all(let nodes): self = .all(try Test.tests(nodes, schema))
        case .not(let node): self = .not(try Test(node, schema))
        case .match(let match): self = .comparison(try Comparison(match, schema))
        }
    }

    private static func tests(
        _ nodes: [FilterNode],
        _ schema: FilterSchema
    ) throws(FilterError) -> [Test] {
        var tests: [Test] = []
        for node in nodes { tests.append(try Test(node, schema)) }
        return tests
    }

    func holds(for subject: any FilterSubject) -> Bool {
        switch self {
        case .any(let tests): tests.contains { $0.holds(for: subject) }
        case .all(let tests): tests.allSatisfy { $0.holds(for: subject) }
        case .not(let test): !test.holds(for: subject)
        case .comparison(let comparison): comparison.holds(for: subject, depth: 0)
        }
    }
}

/// One comparison with its operand in the type of the field.
private struct Comparison: Sendable {
    enum Operand: Sendable {
        case none
        case string(String)
        case bool(Bool)
        case integer(Int64)
        case pattern(RegularExpression)
    }

    let path: [String]
    let comparison: FilterOperator
    let operand: Operand

    init(_ match: FilterMatch, _ schema: FilterSchema) throws(FilterError) {
        let selector = quoted(match.selector.joined(separator: "."))
        let field = try schema.field(at: match.selector)
        guard field.supports(match.comparison) else {
            throw FilterError(
                "Invalid match operator \(quoted(match.comparison.name)) for selector \(selector)"
            )
        }
        path = match.selector
        comparison = match.comparison
        operand = try Comparison.operand(match, field, selector)
    }

    private static func operand(
        _ match: FilterMatch,
        _ field: FilterSchema,
        _ selector: String
    ) throws(FilterError) -> Operand {
        guard let text = match.value else { return .none }
        if match.comparison == .matches || match.comparison == .notMatches {
            do {
                return .pattern(try RegularExpression(text))
            } catch {
                throw FilterError("Failed to compile regular expression \(quoted(text)): \(error)")
            }
        }
        func refusal(_ function: String, _ reason: NumberError) -> FilterError {
            FilterError(
                "Failed to coerce value \(quoted(text)) for selector \(selector): "
                    + "strconv.\(function): parsing \(quoted(text)): \(reason.rawValue)"
            )
        }
        switch field {
        case .bool:
            guard let value = parseBool(text) else { throw refusal("ParseBool", .syntax) }
            return .bool(value)
        case .integer:
            do {
                return .integer(try parseInteger(text))
            } catch {
                throw refusal("ParseInt", error)
            }
        default: return .string(text)
        }
    }

    func holds(for subject: any FilterSubject, depth: Int) -> Bool {
        guard let value = subject.filterField(path[depth]) else { return holdsForMissing }
        return holds(for: value, depth: depth + 1)
    }

    private func holds(for value: FilterValue, depth: Int) -> Bool {
        guard depth < path.count else { return holds(for: value) }
        switch value {
        case .structure(let subject): return holds(for: subject, depth: depth)
        case .list(let subjects): return subjects.contains { holds(for: $0, depth: depth) }
        case .map(let map):
            guard let text = map[path[depth]] else { return holdsForMissing }
            return holds(for: .string(text))
        case .structures(let map):
            guard let subject = map[path[depth]] else { return holdsForMissing }
            return holds(for: .structure(subject), depth: depth + 1)
        case .string, .bool, .integer, .strings: return holdsForMissing
        }
    }

    /// What a comparison with a key that a map lacks gives: also `matches` holds.
    private var holdsForMissing: Bool {
        switch comparison {
        case .equal, .isIn, .isNotEmpty: false
        case .notEqual, .notIn, .isEmpty, .matches, .notMatches: true
        }
    }

    /// The comparison with the value that the whole selector found.
    private func holds(for value: FilterValue) -> Bool {
        switch comparison {
        case .equal: equals(value)
        case .notEqual: !equals(value)
        case .isIn: contains(value)
        case .notIn: !contains(value)
        case .isEmpty: isEmpty(value)
        case .isNotEmpty: !isEmpty(value)
        case .matches: matchesPattern(value)
        case .notMatches: !matchesPattern(value)
        }
    }

    private func equals(_ value: FilterValue) -> Bool {
        switch (value, operand) {
        case (.string(let text), .string(let wanted)):
            // The count tells apart texts that Unicode holds for equal.
            text == wanted && text.utf8.count == wanted.utf8.count
        case (.bool(let flag), .bool(let wanted)): flag == wanted
        case (.integer(let number), .integer(let wanted)): number == wanted
        default: false
        }
    }

    private func contains(_ value: FilterValue) -> Bool {
        guard case .string(let wanted) = operand else { return false }
        switch value {
        case .string(let text): return containsBytes(of: wanted, in: text)
        case .strings(let list): return list.contains(wanted)
        case .map(let map): return map[wanted] != nil
        case .structures(let map): return map[wanted] != nil
        case .bool, .integer, .structure, .list: return false
        }
    }

    private func isEmpty(_ value: FilterValue) -> Bool {
        switch value {
        case .string(let text): text.isEmpty
        case .strings(let list): list.isEmpty
        case .map(let map): map.isEmpty
        case .structures(let map): map.isEmpty
        case .list(let subjects): subjects.isEmpty
        case .bool, .integer, .structure: false
        }
    }

    private func matchesPattern(_ value: FilterValue) -> Bool {
        guard case .pattern(let pattern) = operand, case .string(let text) = value else {
            return false
        }
        return pattern.matches(text)
    }
}

/// Whether one text occurs in the other, byte for byte.
private func containsBytes(of wanted: String, in text: String) -> Bool {
    let needle = Array(wanted.utf8)
    guard let first = needle.first else { return true }
    let hay = Array(text.utf8)
    guard hay.count >= needle.count else { return false }
    for start in 0...(hay.count - needle.count) where hay[start] == first {
        if hay[start..<start + needle.count].elementsEqual(needle) { return true }
    }
    return false
}
