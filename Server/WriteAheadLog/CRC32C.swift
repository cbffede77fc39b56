/// The Castagnoli checksum, eight bytes at a step.
///
/// - Source: RFC 3720 §12.1 and appendix B.4: polynomial 0x1EDC6F41, reflected.
package enum CRC32C {
    /// The checksum of `bytes`, going on from the checksum of what came before them.
    package static func checksum(_ bytes: [UInt8], from previous: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0, from: previous) }
    }

    static func checksum(_ bytes: UnsafeRawBufferPointer, from previous: UInt32 = 0) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var crc = ~previous
            var offset = 0
            while offset + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                let mixed = UInt64(littleEndian: word) ^ UInt64(crc)
                crc =
                    table[1792 + Int(mixed & 255)]
                    ^ table[1536 + Int((mixed >> 8) & 255)]
                    ^ table[1280 + Int((mixed >> 16) & 255)]
                    ^ table[1024 + Int((mixed >> 24) & 255)]
                crc ^=
                    table[768 + Int((mixed >> 32) & 255)]
                    ^ table[512 + Int((mixed >> 40) & 255)]
                    ^ table[256 + Int((mixed >> 48) & 255)]
                    ^ table[Int(mixed >> 56)]
                offset += 8
            }
            while offset < bytes.count {
                crc = table[Int((crc ^ UInt32(bytes[offset])) & 255)] ^ (crc >> 8)
                offset += 1
            }
            return ~crc
        }
    }

    /// The checksum of a number's eight bytes, least significant first.
    static func checksum(of number: UInt64, from previous: UInt32) -> UInt32 {
        withUnsafeBytes(of: number.littleEndian) { checksum($0, from: previous) }
    }

    /// Eight tables of 256: table `k` advances a byte over `k` further zero bytes.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 {
                crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1
            }
            tables[byte] = crc
        }
        for slot in 256..<(8 * 256) {
            let shorter = tables[slot - 256]
            tables[slot] = tables[Int(shorter & 255)] ^ (shorter >> 8)
        }
        return tables
    }()
}
