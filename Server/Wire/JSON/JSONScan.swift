/// Finds the bytes of JSON strings that need attention, eight at a time.
enum JSONScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// A mask whose lowest set high bit marks the first byte of `word` that equals `byte`.
    @inline(__always)
    private static func equal(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let difference = word ^ (ones &* UInt64(byte))
        return (difference &- ones) & ~difference & highs
    }

    /// The same for bytes below 0x20.
    @inline(__always)
    private static func control(_ word: UInt64) -> UInt64 {
        (word &- (ones &* 0x20)) & ~word & highs
    }

    @inline(__always)
    private static func load(_ base: UnsafePointer<UInt8>, _ index: Int) -> UInt64 {
        UInt64(
            littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
        )
    }

    /// The first index of a quote, a backslash, a control or a non-ASCII byte, or `end`.
    @inline(__always)
    static func firstSpecial(_ base: UnsafePointer<UInt8>, from: Int, to end: Int) -> Int {
        var index = from
        while index + 8 <= end {
            let word = load(base, index)
            let mask =
                equal(word, UInt8(ascii: "\"")) | equal(word, UInt8(ascii: "\\"))
                | control(word) | (word & highs)
            if mask != 0 { return index + mask.trailingZeroBitCount >> 3 }
            index += 8
        }
        while index < end {
            let byte = base[index]
            if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"")
                || byte == UInt8(ascii: "\\")
            {
                return index
            }
            index += 1
        }
        return end
    }

    /// The first index that may need an escape when written, or `end`.
    @inline(__always)
    static func firstEscaped(_ base: UnsafePointer<UInt8>, from: Int, to end: Int) -> Int {
        var index = from
        while index + 8 <= end {
            let word = load(base, index)
            let mask =
                equal(word, UInt8(ascii: "\"")) | equal(word, UInt8(ascii: "\\"))
                | equal(word, UInt8(ascii: "<")) | equal(word, UInt8(ascii: ">"))
                | equal(word, UInt8(ascii: "&")) | equal(word, 0xE2) | control(word)
            if mask != 0 { return index + mask.trailingZeroBitCount >> 3 }
            index += 8
        }
        while index < end, !mayNeedEscape(base[index]) { index += 1 }
        return index
    }

    @inline(__always)
    private static func mayNeedEscape(_ byte: UInt8) -> Bool {
        switch byte {
        case 0..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "<"),
            UInt8(ascii: ">"), UInt8(ascii: "&"), 0xE2:
            return true
        default:
            return false
        }
    }

    /// How many bytes the escape at `index` replaces; 0 when none is needed there after all.
    static func escapedLength(_ base: UnsafePointer<UInt8>, at index: Int, to end: Int) -> Int {
        guard base[index] == 0xE2 else { return 1 }
        guard index + 2 < end, base[index + 1] == 0x80 else { return 0 }
        return base[index + 2] == 0xA8 || base[index + 2] == 0xA9 ? 3 : 0
    }

    /// Whether two keys are equal; both are plain bytes.
    @inline(__always)
    static func equal(
        _ left: UnsafePointer<UInt8>,
        _ right: UnsafePointer<UInt8>,
        count: Int
    ) -> Bool {
        if count >= 8 {
            var index = 0
            while index + 8 <= count {
                if load(left, index) != load(right, index) { return false }
                index += 8
            }
            return load(left, count - 8) == load(right, count - 8)
        }
        for index in 0..<count where left[index] != right[index] { return false }
        return true
    }

    /// Whether two ASCII keys are equal but for the case of letters.
    static func equalFolded(
        _ left: UnsafePointer<UInt8>,
        _ right: UnsafePointer<UInt8>,
        count: Int
    ) -> Bool {
        for index in 0..<count {
            let (a, b) = (left[index], right[index])
            if a == b { continue }
            guard a ^ b == 0x20, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(a | 0x20)
            else { return false }
        }
        return true
    }
}
