import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A request's body on its way into a file, so that its size costs no memory.
///
/// Lives on its connection's event loop; the file is written by other threads, in order, one
/// write at a time. While `isFull` the connection is not read.
final class BodySpool {
    /// How much is collected before it is written, in bytes.
    private static let pieceBytes = 1 << 20

    private let eventLoop: any EventLoop
    private let directory: String
    private var collected = ByteBuffer()
    private var file: UploadedBody?
    private var isWriting = false
    private var failure: SnapshotRefusal?
    private var completion: ((Result<UploadedBody, SnapshotRefusal>) -> Void)?
    /// Called when there is room again.
    var onDrained: (() -> Void)?
    /// How much has come, in bytes.
    private(set) var size = 0

    init(eventLoop: any EventLoop, directory: String) {
        self.eventLoop = eventLoop
        self.directory = directory
    }

    /// So much waits for the disk that no more should be read for now.
    var isFull: Bool { isWriting && collected.readableBytes >= Self.pieceBytes }

    func append(_ bytes: ByteBuffer) {
        size += bytes.readableBytes
        guard failure == nil else { return }
        collected.writeImmutableBuffer(bytes)
        if collected.readableBytes >= Self.pieceBytes { write() }
    }

    /// The body is complete; gives its file once everything is written.
    func finish(_ completion: @escaping (Result<UploadedBody, SnapshotRefusal>) -> Void) {
        self.completion = completion
        write()
    }

    private func write() {
        guard !isWriting else { return }
        let piece = collected
        guard failure == nil, piece.readableBytes > 0 || file == nil else { return settle() }
        collected = ByteBuffer()
        isWriting = true
        let (file, directory) = (file, directory)
        let done = NIOSingletons.posixBlockingThreadPool.runIfActive(eventLoop: eventLoop) {
            let target = try file ?? UploadedBody(directory: directory)
            try target.append(piece)
            return target
        }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        done.whenComplete { bound.value.wrote($0) }
    }

    private func wrote(_ result: Result<UploadedBody, any Error>) {
        isWriting = false
        switch result {
        case .success(let file): self.file = file
        case .failure(let error):
            failure = error as? SnapshotRefusal ?? SnapshotRefusal("\(error)")
            collected = ByteBuffer()
        }
        if completion != nil || collected.readableBytes >= Self.pieceBytes { write() }
        onDrained?()
    }

    private func settle() {
        guard let completion = completion.take() else { return }
        if let failure { return completion(.failure(failure)) }
        guard let file else { return completion(.failure(SnapshotRefusal("no body"))) }
        completion(.success(file))
    }
}

/// The body of a request in a file without a name: nothing is left behind, whatever happens.
///
/// It only grows, and only before others get it.
package final class UploadedBody: Sendable {
    private let file: Int32
    private let length = Mutex(0)

    /// Its length in bytes.
    package var sizeBytes: Int { length.withLock(\.self) }

    init(directory: String) throws(SnapshotRefusal) {
        var template = Array((directory + "/upload-XXXXXX").utf8CString)
        file = template.withUnsafeMutableBufferPointer { buffer -> Int32 in
            guard let base = buffer.baseAddress else { return -1 }
            let opened = mkstemp(base)
            guard opened >= 0 else { return -1 }
            _ = fcntl(opened, F_SETFD, FD_CLOEXEC)
            unlink(base)
            return opened
        }
        guard file >= 0 else { throw Self.failure("create a temporary file in \(directory)") }
    }

    deinit {
        if file >= 0 { close(file) }
    }

    func append(_ bytes: ByteBuffer) throws(SnapshotRefusal) {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            let end = sizeBytes
            let count = bytes.withUnsafeReadableBytes { pointer in
                pwrite(file, pointer.baseAddress, pointer.count, end)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("write a temporary file") }
            bytes.moveReaderIndex(forwardBy: count)
            length.withLock { $0 = end + count }
        }
    }

    /// The bytes from `offset` on; fewer than `count` only at the end.
    ///
    /// Blocks: for a thread of its own.
    package func read(at offset: Int, count: Int) throws(SnapshotRefusal) -> [UInt8] {
        let wanted = min(count, max(0, sizeBytes - offset))
        let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
            filled = 0
            while filled < wanted {
                let start = buffer.baseAddress.map { $0 + filled }
                let got = pread(file, start, wanted - filled, offset + filled)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { return }
                filled += got
            }
        }
        guard bytes.count == wanted else { throw Self.failure("read a temporary file") }
        return bytes
    }

    private static func failure(_ what: String) -> SnapshotRefusal {
        SnapshotRefusal("cannot \(what): \(String(cString: strerror(errno)))")
    }
}
