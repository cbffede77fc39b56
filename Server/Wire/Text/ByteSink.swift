/// Bytes that are appended piece by piece, with one check of room and ownership per piece.
struct ByteSink: Sendable {
    /// The first `count` bytes are the content, the rest is room.
    private var storage: [UInt8]
    private(set) var count: Int

    init() {
        storage = []
        count = 0
    }

    /// A sink whose content is that of `bytes`, which it takes.
    init(continuing bytes: inout [UInt8]) {
        storage = []
        swap(&storage, &bytes)
        count = storage.count
        let room = max(storage.capacity, count + 256)
        storage.append(contentsOf: repeatElement(0, count: room - count))
    }

    /// The content, in an array of exactly its size.
    var bytes: [UInt8] {
        Array(storage[..<count])
    }

    /// Takes the content out; the sink is empty afterwards.
    mutating func take() -> [UInt8] {
        storage.removeSubrange(count...)
        count = 0
        defer { storage = [] }
        return storage
    }

    mutating func removeAll() {
        count = 0
    }

    /// Removes what was written from `start` on.
    mutating func removeAll(from start: Int) {
        count = start
    }

    /// Lends the content.
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try storage.withUnsafeBufferPointer { (bytes) throws(Failure) in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[..<count])))
        }
    }

    /// Makes room for `extra` more bytes.
    mutating func reserve(_ extra: Int) {
        if storage.count - count < extra { grow(extra) }
    }

    private mutating func grow(_ extra: Int) {
        let size = max(count + extra, storage.count * 2, 64)
        let (old, used) = (storage, count)
        storage = Array(unsafeUninitializedCapacity: size) { buffer, initialized in
            old.withUnsafeBufferPointer { old in
                if let target = buffer.baseAddress {
                    if let source = old.baseAddress { target.update(from: source, count: used) }
                    (target + used).initialize(repeating: 0, count: size - used)
                }
            }
            initialized = size
        }
    }

    /// Lets `body` write at most `most` bytes at the end; it returns how many it wrote.
    @inline(__always)
    mutating func write(atMost most: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int) {
        if storage.count - count < most { grow(most) }
        storage.withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress { count += body(base + count) }
        }
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        write(atMost: 1) { target in
            target[0] = byte
            return 1
        }
    }

    @inline(__always)
    mutating func append(_ start: UnsafePointer<UInt8>, count length: Int) {
        write(atMost: length) { target in
            target.update(from: start, count: length)
            return length
        }
    }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        append(text.utf8Start, count: text.utf8CodeUnitCount)
    }

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let base = bytes.baseAddress else { return }
        append(base, count: bytes.count)
    }

    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { append($0) }
    }

    /// Big-endian.
    @inline(__always)
    mutating func append<Value: FixedWidthInteger>(bigEndian value: Value) {
        write(atMost: MemoryLayout<Value>.size) { target in
            UnsafeMutableRawPointer(target).storeBytes(of: value.bigEndian, as: Value.self)
            return MemoryLayout<Value>.size
        }
    }

    /// Overwrites a byte that was written before.
    mutating func replace(at index: Int, _ byte: UInt8) {
        storage[index] = byte
    }

    /// Overwrites bytes that were written before.
    mutating func replace(at index: Int, bigEndian value: UInt16) {
        storage[index] = UInt8(truncatingIfNeeded: value >> 8)
        storage[index + 1] = UInt8(truncatingIfNeeded: value)
    }

    /// Moves everything from `start` on into `scratch`, for it to be written again in another
    /// order.
    mutating func cut(from start: Int, into scratch: inout [UInt8]) {
        scratch.removeAll(keepingCapacity: true)
        storage.withUnsafeBufferPointer { content in
            scratch.append(contentsOf: UnsafeBufferPointer(rebasing: content[start..<count]))
        }
        count = start
    }
}
