import Crypto

/// Collects the state into blocks, hashes and compresses them, and spools the result.
final class BlockCompressor {
    /// What all of the content came to.
    struct Total {
        let bytes: Int
        let digest: String
        let checksum: UInt32
    }

    private static let blockBytes = 1 << 20

    private let spool: Spool
    private let deflater: Deflater
    private var block: [UInt8] = []
    private var digest = SHA256()
    private var checksum = Checksum()

    init(limits: SnapshotLimits, spool: Spool) throws(SnapshotError) {
        self.spool = spool
        deflater = try Deflater(level: limits.compressionLevel)
        block.reserveCapacity(Self.blockBytes + (1 << 18))
    }

    func append(_ piece: UnsafeRawBufferPointer) throws(SnapshotError) {
        block.append(contentsOf: piece)
        guard block.count >= Self.blockBytes else { return }
        try flush()
    }

    func finish() throws(SnapshotError) -> Total {
        try flush()
        return Total(
            bytes: checksum.bytes,
            digest: ArchiveSums.hex(digest.finalize()),
            checksum: checksum.value
        )
    }

    private func flush() throws(SnapshotError) {
        guard !block.isEmpty else { return }
        block.withUnsafeBytes { digest.update(bufferPointer: $0) }
        let done = deflater.compress(block)
        checksum.append(done)
        try spool.append(done.compressed)
        block.removeAll(keepingCapacity: true)
    }
}
