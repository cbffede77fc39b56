import CZlib

/// Compresses reply bodies.
///
/// - Source: RFC 1952; Consul compresses every body when the client accepts it.
enum Gzip {
    /// Beyond this size speed matters more than the last percent.
    private static let fastFromBytes = 256 * 1024

    /// The gzip form of `body`, or nil when zlib refuses.
    static func compress(_ body: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        let level = body.count >= fastFromBytes ? Z_BEST_SPEED : Z_DEFAULT_COMPRESSION
        // 15 bits of window, plus 16 for the gzip wrapper.
        let started = deflateInit2_(
            &stream,
            level,
            Z_DEFLATED,
            15 + 16,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard started == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        let capacity = Int(deflateBound(&stream, uLong(body.count)))
        var succeeded = false
        let compressed = body.withUnsafeBufferPointer { input in
            [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
                stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.avail_in = uInt(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = uInt(capacity)
                succeeded = deflate(&stream, Z_FINISH) == Z_STREAM_END
                count = capacity - Int(stream.avail_out)
            }
        }
        return succeeded ? compressed : nil
    }

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
