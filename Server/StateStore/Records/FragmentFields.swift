/// Goes over the fields of a prepared JSON object, without looking into their values.
///
/// Only for what `Fragment` encoded: compact, well-formed, keys without escapes.
struct FragmentFields: Sequence, IteratorProtocol {
    struct Field {
        /// Without its quotes.
        let key: UnsafeRawBufferPointer
        let value: UnsafeRawBufferPointer

        @inline(__always)
        func isNamed(_ name: StaticString) -> Bool {
            key.count == name.utf8CodeUnitCount
                && Bytes.order(key, UnsafeRawBufferPointer(name)) == 0
        }
    }

    private let object: UnsafeRawBufferPointer
    /// At the opening quote of the next key, or behind the last field.
    private var offset = 1

    init(_ object: UnsafeRawBufferPointer) {
        self.object = object
    }

    mutating func next() -> Field? {
        guard offset + 1 < object.count, object[offset] == UInt8(ascii: "\"") else { return nil }
        let keyStart = offset + 1
        var end = keyStart
        while end < object.count, object[end] != UInt8(ascii: "\"") { end += 1 }
        let keyEnd = end
        // Behind the quote and the colon.
        let valueStart = end + 2
        end = endOfValue(from: valueStart)
        guard end <= object.count, valueStart < end else { return nil }
        offset = end + 1
        return Field(
            key: UnsafeRawBufferPointer(rebasing: object[keyStart..<keyEnd]),
            value: UnsafeRawBufferPointer(rebasing: object[valueStart..<end])
        )
    }

    /// The offset of the comma or brace that follows a value.
    private func endOfValue(from start: Int) -> Int {
        var depth = 0
        var inString = false
        var place = start
        while place < object.count {
            let byte = object[place]
            if inString {
                if byte == UInt8(ascii: "\\") {
                    place += 1
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
            } else {
                switch byte {
                case UInt8(ascii: "\""):
                    inString = true
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
            }
            place += 1
        }
        return place
    }
}

extension UnsafeRawBufferPointer {
    /// The UTF-8 of a literal.
    init(_ text: StaticString) {
        self.init(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}
