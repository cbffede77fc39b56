import NIOCore
import NIOHTTP1

/// The header fields that the decoder has accepted on one event loop, by their exact bytes.
///
/// Clients send the same fields with nearly every request. Once the decoder has found out what a
/// block of fields means, a request with the very same block needs only its first line read.
/// Whatever is unusual in any way goes to the decoder: another version or method, a target of bytes
/// that a decoder might refuse, a body that is not all there, or more than one. A block is kept
/// when it comes a second time. Four blocks share a bucket, so looking up costs the same whatever
/// clients send; bounded by `HTTPLimits.knownFieldBlocksPerLoop` and `knownFieldBytes`.
/// - Source: RFC 9112 §2.1: a message's fields mean the same whatever its target is.
struct KnownFields {
    /// What a block of fields means to a request of version 1.1 that has it.
    final class Block {
        /// From behind the first line to the end of the empty line.
        fileprivate let bytes: [UInt8]
        fileprivate let hash: UInt64
        let headers: HTTPHeaders
        let bodyLength: Int
        /// How replies are written, for requests with a body in the reply and without `pretty`.
        let variant: ReplyVariant

        fileprivate init(
            _ bytes: [UInt8],
            hash: UInt64,
            headers: HTTPHeaders,
            bodyLength: Int,
            variant: ReplyVariant
        ) {
            self.bytes = bytes
            self.hash = hash
            self.headers = headers
            self.bodyLength = bodyLength
            self.variant = variant
        }

        @inline(__always)
        fileprivate func isPrefix(of text: UnsafeRawBufferPointer) -> Bool {
            guard text.count >= bytes.count else { return false }
            let start = UnsafeRawBufferPointer(rebasing: text[..<bytes.count])
            return bytes.withUnsafeBytes { $0.isEqual(to: start) }
        }
    }

    /// A whole request that needs no decoder.
    struct Request {
        let method: HTTPMethod
        let target: String
        let fields: Block
        /// How many bytes come before the body.
        let headLength: Int
    }

    private static let ways = 4
    private let mask: Int
    private let longestBlock: Int
    /// A longer target goes to the decoder.
    private let longestTarget = 2048
    private var blocks: [Block?]
    /// The hashes of blocks that came once.
    private var seen: [UInt64]
    private var nextVictim = 0

    init(limits: HTTPLimits) {
        let buckets = max(1, limits.knownFieldBlocksPerLoop / KnownFields.ways)
        let rounded = 1 << (Int.bitWidth - 1 - buckets.leadingZeroBitCount)
        mask = rounded - 1
        longestBlock = min(limits.knownFieldBytes, limits.requestHeadBytes / 2)
        blocks = Array(repeating: nil, count: rounded * KnownFields.ways)
        seen = Array(repeating: 0, count: rounded * KnownFields.ways)
    }

    /// The request that `bytes` are, from the first to the last; nil when the decoder must tell.
    ///
    /// `expected` are fields that it probably has.
    func request(in bytes: ByteBuffer, expected: Block?) -> Request? {
        bytes.withUnsafeReadableBytes { bytes -> Request? in
            guard let (method, start) = KnownFields.method(of: bytes),
                let stop = endOfTarget(in: bytes, from: start)
            else { return nil }
            let line = KnownFields.lineEnd
            let rest = UnsafeRawBufferPointer(rebasing: bytes[stop...])
            guard rest.count > line.utf8CodeUnitCount, rest.starts(with: line) else { return nil }
            let fields = UnsafeRawBufferPointer(rebasing: rest[line.utf8CodeUnitCount...])
            guard let block = block(at: fields, expected: expected),
                fields.count == block.bytes.count + block.bodyLength
            else { return nil }
            let target = UnsafeRawBufferPointer(rebasing: bytes[start..<stop])
            return Request(
                method: method,
                target: String(decoding: target, as: UTF8.self),
                fields: block,
                headLength: bytes.count - block.bodyLength
            )
        }
    }

    /// Keeps what the decoder found in a head that was all there; `head` are its bytes.
    mutating func learn(
        _ head: ByteBufferView,
        _ decoded: HTTPRequestHead,
        _ variant: ReplyVariant
    ) {
        guard let variant = KnownFields.plain(decoded, variant) else { return }
        guard let bytes = head.withUnsafeBytes({ KnownFields.fields(of: $0, most: longestBlock) })
        else { return }
        let hash = bytes.withUnsafeBytes { PreparedReplies.hash($0) }
        let first = (Int(truncatingIfNeeded: hash) & mask) * KnownFields.ways
        let ways = first..<first + KnownFields.ways
        guard seen[ways].contains(hash) else {
            seen[first + nextVictim] = hash
            nextVictim = (nextVictim + 1) % KnownFields.ways
            return
        }
        let length = decoded.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
        let place = ways.first { blocks[$0] == nil } ?? first + nextVictim
        nextVictim = (nextVictim + 1) % KnownFields.ways
        blocks[place] = Block(
            bytes,
            hash: hash,
            headers: decoded.headers,
            bodyLength: length,
            variant: variant
        )
    }

    private func block(at fields: UnsafeRawBufferPointer, expected: Block?) -> Block? {
        if let expected, expected.isPrefix(of: fields) { return expected }
        guard let count = KnownFields.count(ofFieldsAt: fields, most: longestBlock) else {
            return nil
        }
        let hash = PreparedReplies.hash(UnsafeRawBufferPointer(rebasing: fields[..<count]))
        let first = (Int(truncatingIfNeeded: hash) & mask) * KnownFields.ways
        for place in first..<first + KnownFields.ways {
            guard let block = blocks[place], block.hash == hash, block.bytes.count == count,
                block.isPrefix(of: fields)
            else { continue }
            return block
        }
        return nil
    }

    /// Where the target that begins at `start` ends, when any decoder would take all of it.
    private func endOfTarget(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < bytes.count, bytes[start] == UInt8(ascii: "/") else { return nil }
        var position = start
        let limit = min(bytes.count, start + longestTarget)
        while position < limit, KnownFields.isPlain(bytes[position]) { position += 1 }
        return position < limit ? position : nil
    }
}

extension KnownFields {
    /// What stands between a target and the fields.
    private static let lineEnd: StaticString = " HTTP/1.1\r\n"

    /// The methods that frame their messages alike, and where the target begins.
    private static func method(of bytes: UnsafeRawBufferPointer) -> (HTTPMethod, Int)? {
        if bytes.starts(with: "PUT ") { return (.PUT, 4) }
        if bytes.starts(with: "GET ") { return (.GET, 4) }
        if bytes.starts(with: "DELETE ") { return (.DELETE, 7) }
        if bytes.starts(with: "POST ") { return (.POST, 5) }
        return nil
    }

    /// Whether a byte is one that RFC 3986 allows in a path or query.
    static func isPlain(_ byte: UInt8) -> Bool {
        // A bit for each of ! $ % & ' ( ) * + , - . / 0-9 : ; = ? and of @ A-Z _ a-z ~.
        let set: UInt64 = byte < 64 ? 0xAFFF_FFF2_0000_0000 : 0x47FF_FFFE_87FF_FFFF
        return byte < 128 && set >> UInt64(byte & 63) & 1 == 1
    }

    /// How replies to a head's fields are written; nil when they say more than how long the body
    /// is.
    private static func plain(_ head: HTTPRequestHead, _ variant: ReplyVariant) -> ReplyVariant? {
        let headers = head.headers
        let lengths = headers["Content-Length"]
        guard head.version == .http1_1, !variant.closes, headers["Host"].count == 1,
            lengths.count <= 1, lengths.allSatisfy({ Int($0).map { $0 >= 0 } ?? false }),
            !["Transfer-Encoding", "Expect", "Upgrade"].contains(where: headers.contains(name:))
        else { return nil }
        var variant = variant
        variant.omitsBody = false
        return variant
    }

    /// The block of fields of a whole head that begins with its first line.
    private static func fields(of head: UnsafeRawBufferPointer, most: Int) -> [UInt8]? {
        guard method(of: head) != nil,
            let lineEnd = head.firstIndex(of: UInt8(ascii: "\n"))
        else { return nil }
        let fields = UnsafeRawBufferPointer(rebasing: head[(lineEnd + 1)...])
        guard count(ofFieldsAt: fields, most: most) == fields.count else { return nil }
        return Array(fields)
    }

    /// How many bytes there are up to the end of the first empty line.
    private static func count(ofFieldsAt fields: UnsafeRawBufferPointer, most: Int) -> Int? {
        let limit = min(fields.count, most)
        var position = 3
        while position < limit {
            // Any other byte is no part of the four that end a block: pass over all of them.
            switch fields[position] {
            case UInt8(ascii: "\n"):
                if fields[position - 1] == 0x0D, fields[position - 2] == 0x0A,
                    fields[position - 3] == 0x0D
                {
                    return position + 1
                }
                position += 2
            case UInt8(ascii: "\r"): position += 1
            default: position += 4
            }
        }
        return nil
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    fileprivate func starts(with text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        for position in 0..<text.utf8CodeUnitCount
        where self[position] != text.utf8Start[position] {
            return false
        }
        return true
    }

    /// Whether both have the same bytes.
    @inline(__always)
    func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        var offset = 0
        while offset + 8 <= count {
            let mine = loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let theirs = other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if mine != theirs { return false }
            offset += 8
        }
        while offset < count {
            if self[offset] != other[offset] { return false }
            offset += 1
        }
        return true
    }
}
