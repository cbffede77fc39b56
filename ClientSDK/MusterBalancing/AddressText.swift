/// Reads and writes the textual forms of IP addresses.
enum AddressText {
    /// The four bytes of a dotted-quad address in host order, or nil when `text` is not one.
    ///
    /// Leading zeros are refused: some readers take them as octal.
    static func parseIPv4(_ text: Substring) -> UInt32? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0")
            else { return nil }
            var value: UInt32 = 0
            for digit in part {
                guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
                value = value * 10 + UInt32(digit - UInt8(ascii: "0"))
            }
            guard value <= 255 else { return nil }
            address = address << 8 | value
        }
        return address
    }

    /// The eight groups of an IPv6 address, or nil when `text` is not one.
    ///
    /// - Source: RFC 4291 §2.2. A zone (`%eth0`) is refused: it means nothing on another machine.
    static func parseIPv6(_ text: Substring) -> [UInt16]? {
        guard text.utf8.count <= 45, text.utf8.contains(UInt8(ascii: ":")) else { return nil }
        guard let gap = doubleColon(in: text) else {
            let groups = groups(of: text)
            return groups?.count == 8 ? groups : nil
        }
        let head = text[..<gap]
        let tail = text[text.index(gap, offsetBy: 2)...]
        guard let front = groups(of: head), let back = groups(of: tail),
            front.count + back.count < 8
        else { return nil }
        return front + Array(repeating: 0, count: 8 - front.count - back.count) + back
    }

    /// The canonical text of an IPv6 address.
    ///
    /// - Source: RFC 5952 §4: lower case, no leading zeros, the longest run of zeros shortened.
    static func formatIPv6(_ groups: [UInt16]) -> String {
        var best = 0..<0
        var start = 0
        while start < groups.count {
            var end = start
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = max(end, start + 1)
        }
        let text = { (slice: ArraySlice<UInt16>) in
            slice.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !best.isEmpty else { return text(groups[...]) }
        return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }

    /// Where the first `::` begins, or nil when there is none.
    private static func doubleColon(in text: Substring) -> Substring.Index? {
        var index = text.startIndex
        while index < text.endIndex {
            let next = text.index(after: index)
            if text[index] == ":", next < text.endIndex, text[next] == ":" { return index }
            index = next
        }
        return nil
    }

    /// The groups between single colons.
    ///
    /// The last may be a dotted quad; empty text has none.
    private static func groups(of text: Substring) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (position, part) in parts.enumerated() {
            if position == parts.count - 1, let quad = parseIPv4(part) {
                groups.append(UInt16(truncatingIfNeeded: quad >> 16))
                groups.append(UInt16(truncatingIfNeeded: quad))
                continue
            }
            guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit),
                let group = UInt16(part, radix: 16)
            else { return nil }
            groups.append(group)
        }
        return groups
    }
}
