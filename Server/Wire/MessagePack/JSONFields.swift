/// Goes over the fields of a prepared JSON object in their order, without decoding them.
///
/// Only for what `JSON.encode` made of a record: compact, well-formed, keys without escapes.
package struct JSONFields {
    private let base: UnsafePointer<UInt8>
    private let end: Int
    /// At the opening quote of the next key, or behind the object.
    private var place = 1

    /// Nil for what is no object.
    ///
    /// The memory must outlive the value.
    package init?(_ object: UnsafeRawBufferPointer) {
        guard object.count >= 2, object.first == UInt8(ascii: "{"),
            object.last == UInt8(ascii: "}"), let start = object.baseAddress
        else { return nil }
        base = start.assumingMemoryBound(to: UInt8.self)
        end = object.count
        if end == 2 { place = 2 }
    }

    /// True when every field was taken.
    package var isAtEnd: Bool { place >= end }

    /// Takes the next field when it has this name: the text of its value; nil otherwise.
    package mutating func next(_ name: StaticString) -> UnsafeRawBufferPointer? {
        let count = name.utf8CodeUnitCount
        let start = place + count + 3
        guard start < end, base[place] == UInt8(ascii: "\""),
            base[start - 2] == UInt8(ascii: "\""), base[start - 1] == UInt8(ascii: ":"),
            JSONScan.equal(base + place + 1, name.utf8Start, count: count)
        else { return nil }
        let stop = endOfValue(from: start)
        let isLast = stop == end - 1
        guard stop < end, base[stop] == UInt8(ascii: isLast ? "}" : ",") else { return nil }
        place = stop + 1
        return UnsafeRawBufferPointer(start: base + start, count: stop - start)
    }

    /// Where the comma or brace is that follows a value, or `end`.
    private func endOfValue(from start: Int) -> Int {
        var depth = 0
        var place = start
        while place < end {
            switch base[place] {
            case UInt8(ascii: "\""):
                place = JSONScan.endOfString(base, from: place + 1, to: end).end
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return place }
                depth -= 1
            case UInt8(ascii: ",") where depth == 0:
                return place
            default:
                break
            }
            place += 1
        }
        return end
    }
}

extension JSONScan {
    /// Where the quote is that ends a string, or `end`, and whether all before it is ASCII without
    /// escapes and control characters.
    static func endOfString(
        _ base: UnsafePointer<UInt8>,
        from start: Int,
        to end: Int
    ) -> (end: Int, isPlain: Bool) {
        var place = start
        var isPlain = true
        while true {
            place = firstSpecial(base, from: place, to: end)
            guard place < end else { return (end, isPlain) }
            switch base[place] {
            case UInt8(ascii: "\""):
                return (place, isPlain)
            case UInt8(ascii: "\\"):
                isPlain = false
                place = min(place + 2, end)
            default:
                isPlain = false
                place += 1
            }
        }
    }
}
