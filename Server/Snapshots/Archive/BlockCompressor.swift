import Crypto
import Dispatch
import Synchronization

/// Collects the state into blocks, hashes them, has them compressed beside, and spools the result.
final class BlockCompressor {
    /// What all of the content came to.
    struct Total {
        let bytes: Int
        let digest: String
        let checksum: UInt32
    }

    private static let blockBytes = 1 << 20

    private let spool: Spool
    private let level: Int32
    private let threads: Int
    private var block: [UInt8] = []
    private var digest = SHA256()
    private var checksum = Checksum()
    /// Blocks that are being compressed, oldest first; at most `threads`.
    private var jobs: [CompressionJob] = []

    init(limits: SnapshotLimits, spool: Spool) {
        self.spool = spool
        level = limits.compressionLevel
        threads = max(1, limits.compressionThreads)
        block.reserveCapacity(Self.blockBytes + (1 << 18))
    }

    func append(_ piece: UnsafeRawBufferPointer) throws(SnapshotError) {
        block.append(contentsOf: piece)
        guard block.count >= Self.blockBytes else { return }
        try flush()
    }

    func finish() throws(SnapshotError) -> Total {
        try flush()
        while !jobs.isEmpty { try collect() }
        return Total(
            bytes: checksum.bytes,
            digest: ArchiveSums.hex(digest.finalize()),
            checksum: checksum.value
        )
    }

    private func flush() throws(SnapshotError) {
        guard !block.isEmpty else { return }
        while jobs.count >= threads { try collect() }
        let job = CompressionJob(block, level: level)
        jobs.append(job)
        DispatchQueue.global().async { job.run() }
        // While the block is compressed elsewhere.
        block.withUnsafeBytes { digest.update(bufferPointer: $0) }
        block = []
        block.reserveCapacity(Self.blockBytes + (1 << 18))
    }

    /// Waits for the oldest block and spools it.
    private func collect() throws(SnapshotError) {
        let done = try jobs.removeFirst().wait()
        checksum.append(done)
        try spool.append(done.compressed)
    }
}

/// One block that another thread compresses.
private final class CompressionJob: Sendable {
    private let content: [UInt8]
    private let level: Int32
    private let result = Mutex<Result<Deflater.Block, SnapshotError>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    init(_ content: [UInt8], level: Int32) {
        self.content = content
        self.level = level
    }

    func run() {
        let outcome: Result<Deflater.Block, SnapshotError>
        do throws(SnapshotError) {
            outcome = .success(try Deflater(level: level).compress(content))
        } catch {
            outcome = .failure(error)
        }
        result.withLock { $0 = outcome }
        done.signal()
    }

    func wait() throws(SnapshotError) -> Deflater.Block {
        done.wait()
        guard let outcome = result.withLock({ $0 }) else {
            preconditionFailure("a block was signalled and has no result")
        }
        return try outcome.get()
    }
}
