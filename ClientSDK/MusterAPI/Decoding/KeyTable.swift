/// The names of an object's members, in the order in which servers write them.
///
/// Looking up costs one comparison of words as long as that order is kept.
struct KeyTable {
    private struct Name {
        let text: StaticString
        let length: Int
        /// The first eight bytes, the first one lowest; 0 where the name is shorter.
        let head: UInt64
        /// The bits of ``head`` that count.
        let mask: UInt64

        init(_ text: StaticString) {
            self.text = text
            length = text.utf8CodeUnitCount
            var head: UInt64 = 0
            for offset in 0..<min(8, length) {
                head |= UInt64(text.utf8Start[offset]) << UInt64(8 * offset)
            }
            self.head = head
            mask = length >= 8 ? .max : (1 << UInt64(8 * length)) - 1
        }
    }

    private let names: [Name]

    init(_ names: StaticString...) { self.names = names.map(Name.init) }

    /// Looks a member's name up.
    ///
    /// - Parameters:
    ///   - key: The name.
    ///   - scanner: The scanner that gave it.
    ///   - expected: The place to try first; set to the one behind the place found.
    /// - Returns: Its place in the table, or -1 when it is not there.
    @inline(__always)
    func place(of key: JSONText, _ scanner: JSONScanner, expected: inout Int) -> Int {
        for step in 0..<names.count {
            var place = expected + step
            if place >= names.count { place -= names.count }
            if Self.matches(key, names[place], scanner) {
                expected = place + 1 < names.count ? place + 1 : 0
                return place
            }
        }
        return -1
    }

    @inline(__always)
    private static func matches(_ key: JSONText, _ name: Name, _ scanner: JSONScanner) -> Bool {
        // Behind the name there is its quote and more: only a broken text ends within eight bytes.
        guard !key.isEscaped, let word = scanner.word(at: key.range.lowerBound) else {
            return scanner.matches(key, name.text)
        }
        guard key.range.count == name.length, word & name.mask == name.head else { return false }
        return name.length <= 8 || scanner.matches(key, name.text)
    }
}
