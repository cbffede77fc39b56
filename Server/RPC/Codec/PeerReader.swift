/// Why bytes of a peer are not what they should be.
package enum PeerCodecError: Error, Hashable, Sendable {
    /// A value ends behind the end of its frame.
    case truncated
    /// A frame has this many bytes more than its message.
    case trailing(bytes: Int)
    /// A length or a count is beyond what is allowed or possible.
    case tooLarge(what: String, found: Int, most: Int)
    /// A number that stands for one of several things stands for none.
    case unknown(what: String, found: Int)
    /// A place in a snapshot that cannot come now.
    case unknownOffset(UInt64)
    /// A frame's bytes are not those that were sent.
    case checksum(expected: UInt32, found: UInt32)
    /// A text is not UTF-8.
    case notText
}

extension PeerCodecError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated: "a value ends behind the end of its frame"
        case .trailing(let bytes): "\(bytes) bytes are left over in a frame"
        case .tooLarge(let what, let found, let most):
            "\(what) of \(found), more than \(most)"
        case .unknown(let what, let found): "unknown \(what) \(found)"
        case .unknownOffset(let offset): "unexpected place \(offset) in a snapshot"
        case .checksum(let expected, let found):
            "a frame fails its checksum: expected \(expected), found \(found)"
        case .notText: "a text that is not UTF-8"
        }
    }
}

/// Takes values from the body of one frame; no length is believed before it is checked.
///
/// It must not outlive the memory it was made with.
package struct PeerReader {
    package static let greatestTextBytes = 4096

    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    package var remaining: Int { bytes.count - offset }

    package mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
        as type: Number.Type = Number.self
    ) throws(PeerCodecError) -> Number {
        let size = MemoryLayout<Number>.size
        guard remaining >= size else { throw .truncated }
        defer { offset += size }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }

    package mutating func flag() throws(PeerCodecError) -> Bool {
        let byte = try number(as: UInt8.self)
        guard byte <= 1 else { throw .unknown(what: "flag", found: Int(byte)) }
        return byte == 1
    }

    package mutating func blob() throws(PeerCodecError) -> [UInt8] {
        try take(Int(try number(as: UInt32.self)))
    }

    package mutating func text() throws(PeerCodecError) -> String {
        let length = Int(try number(as: UInt16.self))
        guard length <= PeerReader.greatestTextBytes else {
            throw .tooLarge(what: "a text", found: length, most: PeerReader.greatestTextBytes)
        }
        let bytes = try take(length)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notText }
        return text
    }

    /// Everything that is left.
    package mutating func rest() throws(PeerCodecError) -> [UInt8] {
        try take(remaining)
    }

    /// How many items follow: never more than their least size lets fit.
    package mutating func count(
        ofAtLeast itemBytes: Int,
        _ what: String
    ) throws(PeerCodecError) -> Int {
        let count = Int(try number(as: UInt32.self))
        guard count <= remaining / itemBytes else {
            throw .tooLarge(what: what, found: count, most: remaining / itemBytes)
        }
        return count
    }

    /// Ends the reading: nothing may be left.
    package func finish() throws(PeerCodecError) {
        guard remaining == 0 else { throw .trailing(bytes: remaining) }
    }

    private mutating func take(_ count: Int) throws(PeerCodecError) -> [UInt8] {
        guard count <= remaining else { throw .truncated }
        defer { offset += count }
        return Array(bytes[offset..<(offset + count)])
    }
}

extension PeerReader {
    /// Reads one value that takes all of the bytes; nil when they are not one.
    package static func read<Value>(
        _ bytes: [UInt8],
        _ body: (inout PeerReader) throws(PeerCodecError) -> Value
    ) -> Value? {
        bytes.withUnsafeBytes { raw in
            var reader = PeerReader(raw)
            do throws(PeerCodecError) {
                let value = try body(&reader)
                try reader.finish()
                return value
            } catch {
                return nil
            }
        }
    }
}
