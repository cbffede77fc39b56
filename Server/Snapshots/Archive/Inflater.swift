import CZlib

/// Undoes gzip, piece by piece, and checks it: one member, and nothing behind it.
final class Inflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private let limits: SnapshotLimits
    private var buffer: [UInt8]
    private var consumed = 0
    private var produced = 0
    private(set) var isAtEnd = false

    init(limits: SnapshotLimits) throws(SnapshotError) {
        self.limits = limits
        buffer = [UInt8](repeating: 0, count: 128 * 1024)
        stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window, plus 16 for the gzip wrapper.
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(stream, 15 + 16, ZLIB_VERSION, size) == Z_OK else {
            stream.deallocate()
            throw .outOfMemory
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Takes the next compressed bytes and hands on their content in pieces.
    func consume(
        _ bytes: UnsafeRawBufferPointer,
        _ handle: (UnsafeRawBufferPointer) throws(SnapshotError) -> Void
    ) throws(SnapshotError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard !isAtEnd else {
                throw .damaged(ArchiveDamage(.gzip, "bytes behind the end of the archive"))
            }
            let step = rest.prefix(1 << 30)
            rest = rest.dropFirst(step.count)
            try inflateStep(UnsafeRawBufferPointer(rebasing: step), handle)
            if isAtEnd {
                let unused = Int(stream.pointee.avail_in)
                guard unused == 0, rest.isEmpty else {
                    throw .damaged(ArchiveDamage(.gzip, "bytes behind the end of the archive"))
                }
            }
        }
    }

    private func inflateStep(
        _ input: UnsafeRawBufferPointer,
        _ handle: (UnsafeRawBufferPointer) throws(SnapshotError) -> Void
    ) throws(SnapshotError) {
        consumed += input.count
        guard consumed <= limits.archiveBytes else {
            throw .limit("an archive of more than \(limits.archiveBytes) bytes")
        }
        let start = input.assumingMemoryBound(to: UInt8.self).baseAddress
        stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
        stream.pointee.avail_in = uInt(input.count)
        repeat {
            let capacity = buffer.count
            let code = buffer.withUnsafeMutableBufferPointer { output in
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = uInt(capacity)
                return inflate(stream, Z_NO_FLUSH)
            }
            let count = capacity - Int(stream.pointee.avail_out)
            produced += count
            try checkRatio()
            if count > 0 {
                try buffer.withUnsafeBufferPointer { (output) throws(SnapshotError) in
                    try handle(
                        UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: output[..<count]))
                    )
                }
            }
            switch code {
            case Z_STREAM_END:
                isAtEnd = true
                return
            case Z_OK: break
            // No progress was possible: more input is needed.
            case Z_BUF_ERROR: return
            case Z_MEM_ERROR: throw .outOfMemory
            default: throw .damaged(damage(code))
            }
        } while stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0
    }

    private func damage(_ code: Int32) -> ArchiveDamage {
        guard let text = stream.pointee.msg.map({ String(cString: $0) }) else {
            let reason = code == Z_NEED_DICT ? "it needs a dictionary" : "error \(code)"
            return ArchiveDamage(.gzip, "gzip: \(reason)")
        }
        switch text {
        case "incorrect header check", "unknown compression method", "unknown header flags set",
            "header crc mismatch":
            return ArchiveDamage(.header, "gzip: invalid header")
        case "incorrect data check", "incorrect length check":
            return ArchiveDamage(.gzip, "gzip: invalid checksum")
        default: return ArchiveDamage(.gzip, "gzip: \(text)")
        }
    }

    /// - Source: RFC 1952 §2.3.
    private static let headerBytes = 10

    private func checkRatio() throws(SnapshotError) {
        guard produced > limits.ratioFreeBytes else { return }
        guard produced / limits.ratio <= consumed else {
            throw .limit("content more than \(limits.ratio) times as long as its compressed form")
        }
    }

    /// Ends the input, which must have ended the archive.
    func finish() throws(SnapshotError) {
        guard isAtEnd else {
            guard consumed >= Self.headerBytes else {
                let reason = consumed == 0 ? "EOF" : "unexpected EOF"
                throw .damaged(ArchiveDamage(.header, reason, isTruncation: true))
            }
            throw .damaged(ArchiveDamage(.gzip, "unexpected EOF", isTruncation: true))
        }
    }
}
