import Checksums
import Testing

@Suite struct CRC32CTests {
    /// - Source: RFC 3720 §B.4.
    @Test func `The checksum is that of the RFC`() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
        #expect(CRC32C.checksum((0..<32).reversed().map { UInt8($0) }) == 0x113F_DB5C)
        #expect(CRC32C.checksum([UInt8]("123456789".utf8)) == 0xE306_9283)
    }

    @Test func `A checksum goes on from that of the part before`() {
        let bytes = (0..<100).map { UInt8($0 * 7 % 251) }
        for split in 0...100 {
            let first = CRC32C.checksum(Array(bytes[..<split]))
            #expect(CRC32C.checksum(Array(bytes[split...]), from: first) == CRC32C.checksum(bytes))
        }
    }

    @Test func `The instruction and the table agree at every length and alignment`() {
        let bytes = (0..<300).map { UInt8($0 * 31 % 253) }
        bytes.withUnsafeBytes { all in
            for start in 0..<9 {
                for end in start...all.count {
                    let part = UnsafeRawBufferPointer(rebasing: all[start..<end])
                    let seed = UInt32(truncatingIfNeeded: end &* 0x9E37_79B9)
                    #expect(
                        CRC32C.checksum(part, from: seed) == CRC32C.byTable(part, from: seed)
                    )
                }
            }
        }
    }
}
