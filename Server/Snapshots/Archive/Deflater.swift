import CZlib

/// Compresses blocks so that their results, one after another, are one deflate stream.
///
/// Each block starts afresh and ends on a byte, so that several can be compressed at once.
/// - Source: RFC 1951; the way of pigz.
final class Deflater {
    /// What a block became.
    struct Block: Sendable {
        let compressed: [UInt8]
        /// CRC-32 of the content.
        let checksum: UInt32
        let contentBytes: Int
    }

    private let stream: UnsafeMutablePointer<z_stream>

    init(level: Int32) throws(SnapshotError) {
        stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window; negative for a stream without a wrapper.
        let started = deflateInit2_(
            stream,
            level,
            Z_DEFLATED,
            -15,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard started == Z_OK else {
            stream.deallocate()
            throw .outOfMemory
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func compress(_ content: [UInt8], isLast: Bool = false) -> Block {
        content.withUnsafeBytes { compress($0, isLast: isLast) }
    }

    /// Compresses one block; `isLast` ends the stream.
    func compress(_ content: UnsafeRawBufferPointer, isLast: Bool = false) -> Block {
        precondition(content.count <= Int(UInt32.max), "a block of \(content.count) bytes")
        deflateReset(stream)
        // Room for what does not compress, and for the marker of a flush.
        let capacity = Int(deflateBound(stream, uLong(content.count))) + 64
        var ended = false
        let compressed = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
            let bytes = content.assumingMemoryBound(to: UInt8.self)
            stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            stream.pointee.avail_in = uInt(content.count)
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = uInt(capacity)
            let code = deflate(stream, isLast ? Z_FINISH : Z_SYNC_FLUSH)
            ended = code == (isLast ? Z_STREAM_END : Z_OK) && stream.pointee.avail_in == 0
            count = capacity - Int(stream.pointee.avail_out)
        }
        precondition(ended, "deflate did not end a block of \(content.count) bytes")
        return Block(
            compressed: compressed,
            checksum: Checksum.of(content),
            contentBytes: content.count
        )
    }
}

/// CRC-32 as gzip has it.
struct Checksum {
    private(set) var value: UInt32 = 0
    private(set) var bytes = 0

    static func of(_ content: UnsafeRawBufferPointer) -> UInt32 {
        guard let base = content.baseAddress, content.count > 0 else { return 0 }
        return UInt32(crc32_z(0, base.assumingMemoryBound(to: UInt8.self), content.count))
    }

    /// Adds a block whose own checksum is known.
    mutating func append(_ block: Deflater.Block) {
        append(checksum: block.checksum, bytes: block.contentBytes)
    }

    mutating func append(checksum: UInt32, bytes length: Int) {
        value = UInt32(crc32_combine(uLong(value), uLong(checksum), length))
        bytes += length
    }
}

/// The wrapper around a deflate stream.
///
/// ```
/// 1f 8b | 08 | flags 00 | time 4 | 00 | system ff | deflate stream | crc-32 4 | length 4
/// ```
/// - Source: RFC 1952; the header is that of Go's compress/gzip.
enum GzipWrapper {
    static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]

    static func trailer(_ checksum: Checksum) -> [UInt8] {
        let length = UInt32(truncatingIfNeeded: checksum.bytes)
        return [checksum.value, length].flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) }
        }
    }
}
