extension FilterParser {
    /// One comparison, in any of its three orders.
    mutating func match() -> FilterMatch? {
        let start = offset
        if let selector = selector(), let comparison = valueOperator(), let value = value() {
            return FilterMatch(selector: selector, comparison: comparison, value: value)
        }
        offset = start
        if let selector = selector(), let comparison = emptinessOperator() {
            return FilterMatch(selector: selector, comparison: comparison, value: nil)
        }
        offset = start
        if let value = value(), let comparison = membershipOperator(), let selector = selector() {
            return FilterMatch(selector: selector, comparison: comparison, value: value)
        }
        offset = start
        if value() != nil, membershipOperator() != nil, not({ $0.selector() != nil }) {
            refuse(rule: "match", "Invalid selector", at: offset)
        }
        offset = start
        return nil
    }

    // MARK: Operators

    private mutating func valueOperator() -> FilterOperator? {
        if symbol("==") { return .equal }
        if symbol("!=") { return .notEqual }
        if words("contains") { return .isIn }
        if words("not", "contains") { return .notIn }
        if words("matches") { return .matches }
        if words("not", "matches") { return .notMatches }
        return nil
    }

    private mutating func emptinessOperator() -> FilterOperator? {
        if words("is", "empty", endsWithSpace: false) { return .isEmpty }
        if words("is", "not", "empty", endsWithSpace: false) { return .isNotEmpty }
        return nil
    }

    private mutating func membershipOperator() -> FilterOperator? {
        if words("in") { return .isIn }
        if words("not", "in") { return .notIn }
        return nil
    }

    private mutating func symbol(_ text: StaticString) -> Bool {
        let start = offset
        _ = whitespace()
        if literal(text) {
            _ = whitespace()
            return true
        }
        offset = start
        return false
    }

    private mutating func words(_ texts: StaticString..., endsWithSpace: Bool = true) -> Bool {
        let start = offset
        for text in texts {
            guard whitespace(), literal(text) else {
                offset = start
                return false
            }
        }
        if endsWithSpace, !whitespace() {
            offset = start
            return false
        }
        return true
    }

    // MARK: Selectors

    private mutating func selector() -> [String]? {
        guard let first = identifier() else { return nil }
        var names = [first]
        while let next = member() ?? index() { names.append(next) }
        return names
    }

    private mutating func identifier() -> String? {
        let start = offset
        guard character("[a-zA-Z]", where: \.isLetter) else { return nil }
        while character("[a-zA-Z0-9_]", where: { $0.isLetter || $0.isDigit || $0 == 0x5F }) {}
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    private mutating func member() -> String? {
        let start = offset
        if literal("."), let name = identifier() { return name }
        offset = start
        return nil
    }

    private mutating func index() -> String? {
        let start = offset
        if literal("[") {
            _ = whitespace()
            if let name = string() {
                _ = whitespace()
                if literal("]") { return name }
            }
        }
        offset = start
        if literal("[") {
            _ = whitespace()
            if not({ $0.string() != nil }) {
                refuse(rule: "index", "Invalid index", at: offset)
            }
        }
        offset = start
        if literal("[") {
            _ = whitespace()
            if string() != nil {
                _ = whitespace()
                if not({ $0.literal("]") }) {
                    refuse(rule: "index", "Unclosed index expression", at: offset)
                }
            }
        }
        offset = start
        return nil
    }

    // MARK: Values

    private mutating func value() -> String? {
        if let selector = selector() { return selector.joined(separator: ".") }
        return number() ?? string()
    }

    private mutating func number() -> String? {
        let start = offset
        _ = literal("-")
        if integerOrFloat(), afterNumber() {
            return String(decoding: bytes[start..<offset], as: UTF8.self)
        }
        offset = start
        _ = literal("-")
        if integerOrFloat(), not({ $0.afterNumber() }) {
            refuse(rule: "number", "Invalid number literal", at: offset)
        }
        offset = start
        return nil
    }

    /// A look-ahead: a number ends at a space, a closing parenthesis or the end.
    private mutating func afterNumber() -> Bool {
        let start = offset
        let matched = whitespace() || endOfInput() || literal(")")
        offset = start
        return matched
    }

    private mutating func integerOrFloat() -> Bool {
        if !literal("0") {
            guard character("[1-9]", where: { $0.isDigit && $0 != 0x30 }) else { return false }
            while character("[0-9]", where: \.isDigit) {}
        }
        let end = offset
        if literal("."), character("[0-9]", where: \.isDigit) {
            while character("[0-9]", where: \.isDigit) {}
        } else {
            offset = end
        }
        return true
    }

    private mutating func string() -> String? {
        let start = offset
        for quote in ["`", "\""] as [StaticString] where quotedText(quote) {
            if literal(quote) {
                guard let text = unquoted(bytes[start..<offset]) else {
                    refuse(rule: "string", "invalid syntax", at: start)
                    return ""
                }
                return text
            }
            offset = start
        }
        for quote in ["`", "\""] as [StaticString] {
            offset = start
            if quotedText(quote) {
                if endOfInput() {
                    refuse(rule: "string", "Unterminated string literal", at: offset)
                }
                break
            }
        }
        offset = start
        return nil
    }

    /// The opening quote and everything before the closing one.
    private mutating func quotedText(_ quote: StaticString) -> Bool {
        guard literal(quote) else { return false }
        while true {
            let start = offset
            guard not({ $0.literal(quote) }), anyCharacter() else {
                offset = start
                return true
            }
        }
    }
}

extension UInt8 {
    var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    var isLetter: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7A }
}
