/// Base64 with the standard alphabet and padding.
///
/// - Source: RFC 4648 §4; Go: encoding/base64 StdEncoding.
package enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    )

    /// The value of each alphabet byte; 255 for all others.
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (value, byte) in alphabet.enumerated() { table[Int(byte)] = UInt8(value) }
        return table
    }()

    /// Writes the text of `bytes` to `target`, which has room for it; returns its length.
    static func encode(
        _ bytes: UnsafeBufferPointer<UInt8>,
        to target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let letters: StaticString =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        let letter = letters.utf8Start
        var index = 0
        var output = target
        while index < bytes.count {
            let left = bytes.count - index
            let second = left > 1 ? UInt32(bytes[index + 1]) : 0
            let third = left > 2 ? UInt32(bytes[index + 2]) : 0
            let word = UInt32(bytes[index]) << 16 | second << 8 | third
            output[0] = letter[Int(word >> 18)]
            output[1] = letter[Int(word >> 12 & 63)]
            output[2] = left > 1 ? letter[Int(word >> 6 & 63)] : UInt8(ascii: "=")
            output[3] = left > 2 ? letter[Int(word & 63)] : UInt8(ascii: "=")
            output += 4
            index += 3
        }
        return output - target
    }

    /// The text of `bytes`.
    package static func encode(_ bytes: [UInt8]) -> String {
        var sink = ByteSink()
        sink.write(atMost: (bytes.count + 2) / 3 * 4) { target in
            bytes.withUnsafeBufferPointer { encode($0, to: target) }
        }
        return String(decoding: sink.bytes, as: UTF8.self)
    }

    /// The bytes that `text` stands for; line breaks are skipped.
    ///
    /// - Throws: Go's `illegal base64 data at input byte N`.
    package static func decode(_ text: String) throws(WireError) -> [UInt8] {
        try decode(bytes: Array(text.utf8))
    }

    /// The bytes that the base64 text `bytes` stands for.
    package static func decode(bytes: [UInt8]) throws(WireError) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count / 4 * 3)
        var word: UInt32 = 0
        var count = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            let value = values[Int(byte)]
            if value < 64 {
                word = word << 6 | UInt32(value)
                count += 1
                if count == 4 {
                    output.append(UInt8(truncatingIfNeeded: word >> 16))
                    output.append(UInt8(truncatingIfNeeded: word >> 8))
                    output.append(UInt8(truncatingIfNeeded: word))
                    (word, count) = (0, 0)
                }
            } else if byte == UInt8(ascii: "=") {
                try finish(bytes, paddingAt: index, word, count, into: &output)
                return output
            } else if byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
                throw illegal(at: index)
            }
            index += 1
        }
        guard count == 0 else { throw illegal(at: bytes.count - count) }
        return output
    }

    /// Checks the padding that starts at `index` and appends the bytes of the last, short group.
    private static func finish(
        _ bytes: [UInt8],
        paddingAt index: Int,
        _ word: UInt32,
        _ count: Int,
        into output: inout [UInt8]
    ) throws(WireError) {
        guard count >= 2 else { throw illegal(at: index) }
        var rest = bytes[(index + 1)...].enumerated().filter {
            $0.element != UInt8(ascii: "\n") && $0.element != UInt8(ascii: "\r")
        }
        if count == 2 {
            guard let next = rest.first else { throw illegal(at: bytes.count) }
            guard next.element == UInt8(ascii: "=") else {
                throw illegal(at: index + next.offset)
            }
            rest.removeFirst()
        }
        if let extra = rest.first { throw illegal(at: index + 1 + extra.offset) }
        let padded = word << UInt32(6 * (4 - count))
        output.append(UInt8(truncatingIfNeeded: padded >> 16))
        if count == 3 { output.append(UInt8(truncatingIfNeeded: padded >> 8)) }
    }

    private static func illegal(at index: Int) -> WireError {
        WireError(.value, "illegal base64 data at input byte \(index)")
    }
}
