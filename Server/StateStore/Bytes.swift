/// Bytes in their own order: how every key of the store is compared.
///
/// Swift compares strings by Unicode equivalence; names and keys of the registry are equal only
/// when
/// their bytes are.
enum Bytes {
    /// Below zero, zero or above zero as `left` sorts before, with or after `right`; a prefix sorts
    /// first.
    @inline(__always)
    static func order(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let shared = min(left.count, right.count)
        guard shared > 0, let leftBase = left.baseAddress, let rightBase = right.baseAddress else {
            return left.count - right.count
        }
        var offset = 0
        while offset + 8 <= shared {
            let first = leftBase.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let second = rightBase.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if first != second {
                return first.bigEndian < second.bigEndian ? -1 : 1
            }
            offset += 8
        }
        while offset < shared {
            let first = leftBase.load(fromByteOffset: offset, as: UInt8.self)
            let second = rightBase.load(fromByteOffset: offset, as: UInt8.self)
            if first != second {
                return first < second ? -1 : 1
            }
            offset += 1
        }
        return left.count - right.count
    }

    /// The same for two strings' UTF-8.
    @inline(__always)
    static func order(_ left: String, _ right: String) -> Int {
        with(left) { leftBytes in with(right) { order(leftBytes, $0) } }
    }

    static func hasPrefix(_ bytes: UnsafeRawBufferPointer, _ prefix: UnsafeRawBufferPointer) -> Bool
    {
        bytes.count >= prefix.count
            && order(UnsafeRawBufferPointer(rebasing: bytes[..<prefix.count]), prefix) == 0
    }

    /// True when the UTF-8 of `text` begins with that of `prefix`.
    static func hasPrefix(_ text: String, _ prefix: String) -> Bool {
        with(text) { textBytes in with(prefix) { hasPrefix(textBytes, $0) } }
    }

    /// True when both strings have the same bytes.
    static func equal(_ left: String, _ right: String) -> Bool {
        order(left, right) == 0
    }

    /// True when every byte is ASCII and none is an upper case letter; eight at a time.
    static func isFolded(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let high: UInt64 = 0x8080_8080_8080_8080
        var offset = 0
        var suspect: UInt64 = 0
        while offset < bytes.count {
            var word: UInt64 = 0
            if offset + 8 <= bytes.count {
                word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            } else {
                for byte in offset..<bytes.count { word = word << 8 | UInt64(bytes[byte]) }
            }
            // With the high bits out of the way, adding sets them from `A` up and from `[` up.
            let low = word & ~high
            let fromA = low &+ 0x3F3F_3F3F_3F3F_3F3F
            let beyondZ = low &+ 0x2525_2525_2525_2525
            suspect |= (word | (fromA & ~beyondZ)) & high
            offset += 8
        }
        return suspect == 0
    }

    /// Lends the UTF-8 of a string.
    @inline(__always)
    static func with<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var text = text
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}

extension String {
    /// The form that names of nodes, services and checks are looked up by: lower case, rune by
    /// rune.
    ///
    /// - Source: Consul: `/v1/catalog/node/foo` finds the node `Foo`; a service's and a check's id
    ///   likewise.
    package var folded: String {
        let isFolded = Bytes.with(self) { Bytes.isFolded($0) }
        guard !isFolded else { return self }
        guard utf8.contains(where: { $0 >= 0x80 }) else { return foldedASCII }
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            // Only U+0130 maps to two scalars; the first of them is its simple mapping.
            result.append(scalar.properties.lowercaseMapping.unicodeScalars.first ?? scalar)
        }
        return String(result)
    }

    /// The same for a string of nothing but ASCII.
    private var foldedASCII: String {
        Bytes.with(self) { bytes in
            String(unsafeUninitializedCapacity: bytes.count) { target in
                for (offset, byte) in bytes.enumerated() {
                    target[offset] = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
                }
                return bytes.count
            }
        }
    }
}
