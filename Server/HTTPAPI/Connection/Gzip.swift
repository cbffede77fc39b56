import CZlib

/// Compresses the reply bodies of one event loop, with memory that is set up once.
///
/// - Source: RFC 1952; Consul compresses every body when the client accepts it.
final class GzipCompressor {
    /// Beyond this size speed matters more than the last percent.
    private static let fastFromBytes = 256 * 1024

    private var thorough: UnsafeMutablePointer<z_stream>?
    private var fast: UnsafeMutablePointer<z_stream>?

    init() {}

    deinit {
        for stream in [thorough, fast] {
            guard let stream else { continue }
            deflateEnd(stream)
            stream.deallocate()
        }
    }

    /// The gzip form of `body`, or nil when zlib refuses.
    func compress(_ body: [UInt8]) -> [UInt8]? {
        guard let stream = stream(isFast: body.count >= Self.fastFromBytes) else { return nil }
        defer { deflateReset(stream) }
        let capacity = Int(deflateBound(stream, uLong(body.count)))
        var succeeded = false
        let compressed = body.withUnsafeBufferPointer { input in
            [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
                stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.pointee.avail_in = uInt(input.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = uInt(capacity)
                succeeded = deflate(stream, Z_FINISH) == Z_STREAM_END
                count = capacity - Int(stream.pointee.avail_out)
            }
        }
        return succeeded ? compressed : nil
    }

    /// The state for one level of effort; zlib keeps pointers to it, so it stays where it is.
    private func stream(isFast: Bool) -> UnsafeMutablePointer<z_stream>? {
        if let existing = isFast ? fast : thorough { return existing }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let level = isFast ? Z_BEST_SPEED : Z_DEFAULT_COMPRESSION
        // 15 bits of window, plus 16 for the gzip wrapper.
        let started = deflateInit2_(
            stream,
            level,
            Z_DEFLATED,
            15 + 16,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard started == Z_OK else {
            stream.deallocate()
            return nil
        }
        if isFast { fast = stream } else { thorough = stream }
        return stream
    }
}

/// What clients say about compressed replies.
enum Gzip {
    /// Whether an `Accept-Encoding` value admits gzip with a weight above zero.
    static func isAccepted(by field: String) -> Bool {
        for choice in field.split(separator: ",") {
            let parts = choice.split(separator: ";")
            guard let name = parts.first?.trimmingSpaces(), name.lowercased() == "gzip" else {
                continue
            }
            let weight = parts.dropFirst().first.map { $0.trimmingSpaces() } ?? "q=1"
            guard weight.lowercased().hasPrefix("q=") else { return true }
            return (Double(String(weight.dropFirst(2))) ?? 1) > 0
        }
        return false
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        var text = self
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
