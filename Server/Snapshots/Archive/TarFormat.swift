/// The few things of the tar format that a snapshot needs.
///
/// ```
/// name 100 | mode 8 | uid 8 | gid 8 | size 12 | mtime 12 | checksum 8 | type 1 | link 100 |
/// "ustar\0" "00" | owner 32 | group 32 | device 16 | prefix 155 | 12
/// ```
/// - Source: POSIX.1-1988 ustar; Go archive/tar.
enum TarFormat {
    static let blockBytes = 512
    /// Two empty blocks end an archive.
    static let end = [UInt8](repeating: 0, count: 2 * blockBytes)

    /// The padding behind a file's content.
    static func padding(after size: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: paddingBytes(after: size))
    }

    static func paddingBytes(after size: Int) -> Int {
        (blockBytes - size % blockBytes) % blockBytes
    }

    /// The block in front of a file of mode 0600; `seconds` since 1970.
    static func header(name: String, size: Int, seconds: UInt64) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockBytes)
        func put(_ text: String, at offset: Int) {
            block.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
        }
        put(name, at: 0)
        put(octal(0o600, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        if size < 1 << 33 {
            put(octal(UInt64(size), digits: 11), at: 124)
        } else {
            // Base 256, as GNU tar and Go have it for what eleven digits cannot say.
            for offset in 0..<8 {
                block[135 - offset] = UInt8(truncatingIfNeeded: size >> (8 * offset))
            }
            block[124] = 0x80
        }
        put(octal(min(seconds, 0o77_777_777_777), digits: 11), at: 136)
        put("        ", at: 148)
        block[156] = UInt8(ascii: "0")
        put("ustar\u{0}00", at: 257)
        put(octal(0, digits: 7), at: 329)
        put(octal(0, digits: 7), at: 337)
        let sum = block.reduce(UInt64(0)) { $0 + UInt64($1) }
        put(octal(sum, digits: 6) + "\u{0} ", at: 148)
        return block
    }

    private static func octal(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: digits - text.count) + text
    }

    /// What a header says; `reason` when it says nothing that is understood.
    enum Header: Equatable {
        case file(name: String, size: Int)
        /// An empty block.
        case end
        case broken(reason: String)
    }

    static func parse(_ block: [UInt8]) -> Header {
        precondition(block.count == blockBytes, "a block of \(block.count) bytes")
        if block.allSatisfy({ $0 == 0 }) { return .end }
        var blank = block
        for offset in 148..<156 { blank[offset] = UInt8(ascii: " ") }
        let sum = blank.reduce(0) { $0 + Int($1) }
        guard number(block[148..<156]) == sum else {
            return .broken(reason: "a header with a wrong checksum")
        }
        let kind = block[156]
        guard kind == UInt8(ascii: "0") || kind == 0 else {
            return .broken(reason: "an entry that is not a regular file")
        }
        let prefix = block[345..<500].prefix { $0 != 0 }
        guard prefix.isEmpty || block[257..<262].elementsEqual("ustar".utf8) == false else {
            return .broken(reason: "an entry in a folder")
        }
        guard let size = number(block[124..<136]) else {
            return .broken(reason: "a header without a size")
        }
        let name = String(decoding: block[0..<100].prefix { $0 != 0 }, as: UTF8.self)
        return .file(name: name, size: size)
    }

    /// A number in octal digits or in base 256; nil when it is neither, or does not fit.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 {
            guard first == 0x80, field.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else {
                return nil
            }
            let value = field.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return Int(exactly: value)
        }
        let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 && $0 != 0x20 }
        guard !digits.isEmpty else { return nil }
        var value = 0
        for digit in digits {
            guard (0x30...0x37).contains(digit), value < 1 << 58 else { return nil }
            value = value << 3 | Int(digit - 0x30)
        }
        return value
    }
}
