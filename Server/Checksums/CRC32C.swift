import CChecksums

/// The Castagnoli checksum: by the processor's instruction, or else sixteen bytes at a step.
///
/// - Source: RFC 3720 §12.1 and appendix B.4: polynomial 0x1EDC6F41, reflected.
package enum CRC32C {
    /// The checksum of `bytes`, going on from the checksum of what came before them.
    package static func checksum(_ bytes: [UInt8], from previous: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0, from: previous) }
    }

    /// The checksum of raw memory, going on from the checksum of what came before it.
    package static func checksum(
        _ bytes: UnsafeRawBufferPointer,
        from previous: UInt32 = 0
    ) -> UInt32 {
        guard muster_crc32c_has_instruction() else { return byTable(bytes, from: previous) }
        return ~muster_crc32c_extend(~previous, bytes.baseAddress, bytes.count)
    }

    /// The same on a processor that has no such instruction.
    package static func byTable(
        _ bytes: UnsafeRawBufferPointer,
        from previous: UInt32
    ) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var crc = ~previous
            var offset = 0
            while offset + 16 <= bytes.count {
                let low = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                let high = bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
                crc =
                    advance(UInt64(littleEndian: low) ^ UInt64(crc), table, 8 * 256)
                    ^ advance(UInt64(littleEndian: high), table, 0)
                offset += 16
            }
            while offset < bytes.count {
                crc = table[Int((crc ^ UInt32(bytes[offset])) & 255)] ^ (crc >> 8)
                offset += 1
            }
            return ~crc
        }
    }

    /// The checksum of a number's eight bytes, least significant first.
    package static func checksum(of number: UInt64, from previous: UInt32) -> UInt32 {
        withUnsafeBytes(of: number.littleEndian) { checksum($0, from: previous) }
    }

    /// What eight bytes come to, when `base / 256` further bytes of the step follow them.
    @inline(__always)
    private static func advance(
        _ word: UInt64,
        _ table: UnsafeBufferPointer<UInt32>,
        _ base: Int
    ) -> UInt32 {
        let early =
            table[base + 1792 + Int(word & 255)]
            ^ table[base + 1536 + Int((word >> 8) & 255)]
            ^ table[base + 1280 + Int((word >> 16) & 255)]
            ^ table[base + 1024 + Int((word >> 24) & 255)]
        let late =
            table[base + 768 + Int((word >> 32) & 255)]
            ^ table[base + 512 + Int((word >> 40) & 255)]
            ^ table[base + 256 + Int((word >> 48) & 255)]
            ^ table[base + Int(word >> 56)]
        return early ^ late
    }

    /// Sixteen tables of 256: table `k` advances a byte over `k` further zero bytes.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 16 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 {
                crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1
            }
            tables[byte] = crc
        }
        for slot in 256..<(16 * 256) {
            let shorter = tables[slot - 256]
            tables[slot] = tables[Int(shorter & 255)] ^ (shorter >> 8)
        }
        return tables
    }()
}
