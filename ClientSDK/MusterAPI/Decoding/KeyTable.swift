/// The names of an object's members, in the order in which servers write them.
///
/// Looking up costs one comparison as long as that order is kept.
struct KeyTable {
    private let names: [StaticString]

    init(_ names: StaticString...) { self.names = names }

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
            if scanner.matches(key, names[place]) {
                expected = place + 1 < names.count ? place + 1 : 0
                return place
            }
        }
        return -1
    }
}
