/// A JSON array that grows by prepared fragments.
struct JSONList {
    private(set) var bytes: [UInt8]
    private var isEmpty = true

    init(capacity: Int = 64) {
        bytes = []
        bytes.reserveCapacity(capacity)
        bytes.append(UInt8(ascii: "["))
    }

    /// Adds an element that is one object already encoded.
    mutating func append(_ fragment: [UInt8]) {
        separate()
        bytes.append(contentsOf: fragment)
    }

    mutating func append(_ fragment: UnsafeRawBufferPointer) {
        separate()
        bytes.append(contentsOf: fragment)
    }

    /// Adds an element that `body` writes.
    mutating func append(_ body: (inout [UInt8]) -> Void) {
        separate()
        body(&bytes)
    }

    private mutating func separate() {
        if isEmpty {
            isEmpty = false
        } else {
            bytes.append(UInt8(ascii: ","))
        }
    }

    /// The whole array.
    consuming func finish() -> [UInt8] {
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }
}

extension [UInt8] {
    /// Adds a piece of literal text.
    mutating func append(text: StaticString) {
        append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        )
    }
}
