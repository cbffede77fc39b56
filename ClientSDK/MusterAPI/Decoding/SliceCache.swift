/// Values that were decoded before from the same bytes of the same text.
///
/// The instances of a service mostly have the same tags, metadata and datacenter: the same bytes
/// give the same value, which then shares its storage. Each place keeps the latest value, so the
/// memory is bounded and nothing is searched.
struct SliceCache<Value> {
    private struct Slot {
        var range: Range<Int>
        var value: Value
    }

    private var slots: [Slot?]

    /// Makes a cache for a text of `textBytes` bytes.
    init(textBytes: Int) {
        // One place for half a kilobyte, so that small texts do not pay for large ones.
        var capacity = 4
        while capacity < textBytes >> 9, capacity < Limits.sharedSlices { capacity <<= 1 }
        slots = Array(repeating: nil, count: capacity)
    }

    /// The value of the bytes of `range`: one that is there, or what `make` gives.
    @inline(__always)
    mutating func value(
        _ range: Range<Int>,
        of scanner: JSONScanner,
        _ make: () throws(JSONFault) -> Value
    ) throws(JSONFault) -> Value {
        let place = Int(truncatingIfNeeded: Self.hash(range, scanner)) & (slots.count - 1)
        if let slot = slots[place], scanner.equal(slot.range, range) { return slot.value }
        let value = try make()
        slots[place] = Slot(range: range, value: value)
        return value
    }

    /// Mixes the bytes, eight at a time; a collision only costs the sharing.
    @inline(__always)
    private static func hash(_ range: Range<Int>, _ scanner: JSONScanner) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: range.count) &* 0x9E37_79B9_7F4A_7C15
        var index = range.lowerBound
        while index + 8 <= range.upperBound, let word = scanner.word(at: index) {
            hash = (hash ^ word) &* 0xD6E8_FEB8_6659_FD93
            hash ^= hash >> 32
            index += 8
        }
        while index < range.upperBound {
            hash = (hash ^ UInt64(scanner.byte(at: index))) &* 0xD6E8_FEB8_6659_FD93
            index += 1
        }
        return hash ^ hash >> 32
    }
}

extension JSONScanner {
    /// Whether two ranges of the text have the same bytes.
    @inline(__always)
    func equal(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
        guard one.count == other.count else { return false }
        var offset = 0
        while offset + 8 <= one.count,
            let left = word(at: one.lowerBound + offset),
            let right = word(at: other.lowerBound + offset)
        {
            if left != right { return false }
            offset += 8
        }
        while offset < one.count {
            if byte(at: one.lowerBound + offset) != byte(at: other.lowerBound + offset) {
                return false
            }
            offset += 1
        }
        return true
    }
}
