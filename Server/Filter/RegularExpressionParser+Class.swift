extension RegularExpressionParser {
    // MARK: Escapes outside of brackets

    mutating func appendEscape(to nodes: inout [Node]) throws(Failure) {
        switch peek(1) {
        case "A":
            index += 2
            nodes.append(.assertion(.textStart))
        case "z":
            index += 2
            nodes.append(.assertion(.textEnd))
        case "b":
            index += 2
            nodes.append(.assertion(.wordBoundary))
        case "B":
            index += 2
            nodes.append(.assertion(.notWordBoundary))
        case "C":
            throw Failure("invalid escape sequence", rest.prefix(2))
        case "Q":
            index += 2
            while let scalar = peek() {
                if scalar == "\\", peek(1) == "E" {
                    index += 2
                    break
                }
                index += 1
                nodes.append(literal(scalar.value))
            }
        default:
            var set = ScalarSet(foldsCase: flags.foldsCase)
            if try category(into: &set) || perlClass(into: &set) {
                nodes.append(.set(set))
            } else {
                nodes.append(literal(try escapedScalar()))
            }
        }
    }

    /// One scalar after a backslash.
    ///
    /// - Source: Go regexp/syntax: parseEscape
    private mutating func escapedScalar() throws(Failure) -> UInt32 {
        let start = index
        index += 1
        guard let scalar = peek() else {
            throw Failure("trailing backslash at end of expression", [])
        }
        index += 1
        switch scalar {
        case "0"..."7":
            let isBackReference = scalar != "0" && peek().flatMap { octalValue($0) } == nil
            guard !isBackReference else { break }
            var value = scalar.value - 0x30
            for _ in 0..<2 {
                guard let digit = peek().flatMap({ octalValue($0) }) else { break }
                value = value * 8 + digit
                index += 1
            }
            return value
        case "x":
            if let value = hexadecimalScalar() { return value }
        case "a": return 0x07
        case "f": return 0x0C
        case "n": return 0x0A
        case "r": return 0x0D
        case "t": return 0x09
        case "v": return 0x0B
        default:
            let isWord = (scalar.value | 0x20) >= 0x61 && (scalar.value | 0x20) <= 0x7A
            if scalar.value < 0x80, !isWord, digitValue(scalar) == nil { return scalar.value }
        }
        throw Failure("invalid escape sequence", pattern[start..<index])
    }

    private mutating func hexadecimalScalar() -> UInt32? {
        guard let first = peek() else { return nil }
        index += 1
        guard first == "{" else {
            guard let second = peek() else { return nil }
            index += 1
            guard let high = digitValue(first), let low = digitValue(second) else { return nil }
            return high * 16 + low
        }
        var value: UInt32 = 0
        var count = 0
        while let scalar = peek() {
            index += 1
            if scalar == "}" { return count > 0 ? value : nil }
            guard let digit = digitValue(scalar) else { return nil }
            value = value * 16 + digit
            guard value <= 0x10FFFF else { return nil }
            count += 1
        }
        return nil
    }

    // MARK: Classes

    /// The set between brackets.
    ///
    /// - Source: Go regexp/syntax: parseClass
    mutating func bracketClass() throws(Failure) -> Node {
        let start = index
        var set = ScalarSet(foldsCase: flags.foldsCase)
        index += 1
        if peek() == "^" {
            index += 1
            set.isNegated = true
        }
        var isFirst = true
        while isFirst || peek() != "]" {
            isFirst = false
            if try namedClass(into: &set) { continue }
            if try category(into: &set) { continue }
            if perlClass(into: &set) { continue }
            let rangeStart = index
            let low = try classScalar(from: start)
            var high = low
            if peek() == "-", let next = peek(1), next != "]" {
                index += 1
                high = try classScalar(from: start)
            }
            guard low <= high else {
                throw Failure("invalid character class range", pattern[rangeStart..<index])
            }
            set.insert(low...high)
        }
        index += 1
        return .set(set)
    }

    private mutating func classScalar(from start: Int) throws(Failure) -> UInt32 {
        guard let scalar = peek() else { throw Failure("missing closing ]", pattern[start...]) }
        if scalar == "\\" { return try escapedScalar() }
        index += 1
        return scalar.value
    }

    /// A named class, `[:name:]`, inside brackets.
    private mutating func namedClass(into set: inout ScalarSet) throws(Failure) -> Bool {
        guard peek() == "[", peek(1) == ":", rest.count > 2 else { return false }
        var end = index
        while end + 1 < pattern.count, !(pattern[end] == ":" && pattern[end + 1] == "]") {
            end += 1
        }
        guard end + 1 < pattern.count else { return false }
        var name = pattern[min(index + 2, end)..<end]
        let isNegated = name.first == "^"
        if isNegated { name = name.dropFirst() }
        guard let ranges = ScalarSet.namedClasses[text(name)] else {
            throw Failure("invalid character class range", pattern[index...end + 1])
        }
        index = end + 2
        set.insert(ranges, isNegated: isNegated)
        return true
    }

    /// A class of one letter: `\d`, `\S` and their like.
    private mutating func perlClass(into set: inout ScalarSet) -> Bool {
        guard peek() == "\\", let letter = peek(1), letter.isASCII else { return false }
        let isNegated = letter.value & 0x20 == 0
        guard let lower = Unicode.Scalar(letter.value | 0x20),
            let ranges = ScalarSet.perlClasses[lower], digitValue(letter) ?? 16 > 9
        else { return false }
        index += 2
        set.insert(ranges, isNegated: isNegated)
        return true
    }

    /// `\pL`, `\p{Lu}`, `\P{^L}`.
    private mutating func category(into set: inout ScalarSet) throws(Failure) -> Bool {
        guard peek() == "\\", let letter = peek(1), letter == "p" || letter == "P" else {
            return false
        }
        let start = index
        var name: ArraySlice<Unicode.Scalar>
        if peek(2) == "{" {
            guard let end = rest.firstIndex(of: "}") else {
                throw Failure("invalid character class range", rest)
            }
            name = pattern[start + 3..<end]
            index = end + 1
        } else {
            name = rest.dropFirst(2).prefix(1)
            index += 2 + name.count
        }
        var isNegated = letter == "P"
        if name.first == "^" {
            isNegated.toggle()
            name = name.dropFirst()
        }
        guard ScalarSet.isCategory(text(name)) else {
            throw Failure("invalid character class range", pattern[start..<index])
        }
        set.insert(ScalarSet.Category(name: text(name), isNegated: isNegated))
        return true
    }

    private func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    private func octalValue(_ scalar: Unicode.Scalar) -> UInt32? {
        digitValue(scalar).flatMap { $0 < 8 ? $0 : nil }
    }
}

/// The value of a digit in a radix of up to 16, or nil for any other scalar.
func digitValue(_ scalar: Unicode.Scalar) -> UInt32? {
    UInt8(exactly: scalar.value).flatMap { digitValue($0) }
}
