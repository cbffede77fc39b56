/// One allocation for a record: its hot fields, then its bytes (keys, JSON, value).
///
/// ```
/// | object | Header | bytes … |
/// ```
// SAFETY: the buffer is written only inside `init`, before anyone else can see it; immutable
// afterwards.
struct RecordStorage<Header: Sendable>: @unchecked Sendable {
    private let buffer: ManagedBuffer<Header, UInt8>

    /// A record with `count` bytes, which `fill` must initialise all.
    init(
        _ header: consuming Header,
        count: Int,
        fill: (UnsafeMutableRawBufferPointer) -> Void
    ) {
        // Moved in: a copy would count every reference of it twice.
        var moved = Optional(header)
        buffer = ManagedBuffer.create(minimumCapacity: count) { _ in
            guard let header = moved.take() else { preconditionFailure("one header is made once") }
            return header
        }
        buffer.withUnsafeMutablePointerToElements {
            fill(UnsafeMutableRawBufferPointer(start: $0, count: count))
        }
    }

    /// Read through its address: `buffer.header` would be checked for exclusive access at run time.
    var header: Header {
        @inline(__always) _read {
            let address = buffer.withUnsafeMutablePointerToHeader { UnsafePointer($0) }
            defer { withExtendedLifetime(buffer) {} }
            yield address.pointee
        }
    }

    /// Lends `count` bytes from `offset`; the caller knows that they exist.
    @inline(__always)
    func withBytes<Result>(
        from offset: Int,
        count: Int,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        buffer.withUnsafeMutablePointerToElements {
            body(UnsafeRawBufferPointer(start: $0 + offset, count: count))
        }
    }

    func text(from offset: Int, count: Int) -> String {
        withBytes(from: offset, count: count) { String(decoding: $0, as: UTF8.self) }
    }
}

/// An identifier inside a record's bytes, with its folded form behind it when the two differ.
struct StoredID: Sendable {
    let length: UInt32
    /// 0 when the identifier is its own folded form.
    let foldedLength: UInt32

    init(_ id: String, folded: String) {
        length = UInt32(truncatingIfNeeded: id.utf8.count)
        let same = Bytes.equal(id, folded)
        foldedLength = same ? 0 : UInt32(truncatingIfNeeded: folded.utf8.count)
    }

    /// The bytes that both forms take.
    var byteCount: Int { Int(length) + Int(foldedLength) }
    var foldedOffset: Int { foldedLength == 0 ? 0 : Int(length) }
    var foldedCount: Int { foldedLength == 0 ? Int(length) : Int(foldedLength) }

    /// Writes both forms to the start of `target`.
    func write(_ id: String, folded: String, to target: UnsafeMutableRawBufferPointer) {
        Bytes.with(id) { target.copyMemory(from: $0) }
        guard foldedLength > 0 else { return }
        Bytes.with(folded) {
            UnsafeMutableRawBufferPointer(rebasing: target[Int(length)...]).copyMemory(from: $0)
        }
    }
}
