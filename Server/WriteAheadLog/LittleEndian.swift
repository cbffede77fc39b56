extension [UInt8] {
    /// Adds a number, least significant byte first.
    mutating func appendNumber(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }

    /// Overwrites the bytes from `offset` on with a number.
    mutating func storeNumber(_ number: some FixedWidthInteger, at offset: Int) {
        precondition(offset >= 0 && offset + number.bitWidth / 8 <= count)
        withUnsafeMutableBytes { buffer in
            buffer.storeBytes(of: number.littleEndian, toByteOffset: offset, as: type(of: number))
        }
    }

    /// The number that starts at `offset`.
    func number<Number: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int,
        as type: Number.Type = Number.self
    ) -> Number {
        precondition(offset >= 0 && offset + Number.bitWidth / 8 <= count)
        return withUnsafeBytes { buffer in
            Number(littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: type))
        }
    }
}
