/// Collects the bytes of frames; numbers are little-endian.
package struct PeerWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package var count: Int { bytes.count }

    /// Forgets the bytes and keeps their room.
    package mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
    }

    package mutating func reserve(_ byteCount: Int) {
        bytes.reserveCapacity(bytes.count + byteCount)
    }

    package mutating func number(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func flag(_ flag: Bool) {
        bytes.append(flag ? 1 : 0)
    }

    /// Writes the length in four bytes, then the bytes.
    package mutating func blob(_ blob: [UInt8]) {
        number(UInt32(blob.count))
        bytes.append(contentsOf: blob)
    }

    /// Writes the length in two bytes, then UTF-8; a text that is too long is cut between
    /// characters.
    package mutating func text(_ text: String) {
        let kept = PeerWriter.cut(text)
        number(UInt16(kept.utf8.count))
        bytes.append(contentsOf: kept.utf8)
    }

    /// Writes the bytes without a length: they end where the frame ends.
    package mutating func rest(_ rest: [UInt8]) {
        bytes.append(contentsOf: rest)
    }

    /// Puts a number over four bytes that were left free for it.
    package mutating func overwrite(_ number: UInt32, at offset: Int) {
        precondition(offset >= 0 && offset + 4 <= bytes.count)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.storeBytes(of: number.littleEndian, toByteOffset: offset, as: UInt32.self)
        }
    }

    private static func cut(_ text: String) -> Substring {
        var kept = text[...]
        while kept.utf8.count > PeerReader.greatestTextBytes { kept.removeLast() }
        return kept
    }
}
