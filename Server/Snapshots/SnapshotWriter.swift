import Crypto
import Model
package import StateStore

/// Writes a state as an archive that Consul restores too: gzip of tar of three files.
///
/// ```
/// meta.json | state.bin | SHA256SUMS
/// ```
/// The state is compressed first, because tar wants its length in front of it; what is held
/// meanwhile is the compressed form, in memory and beyond a limit in a file without a name.
/// - Source: RPC sheet §8; Raft sheet §8.
package struct SnapshotWriter {
    package var limits: SnapshotLimits
    /// Where a large compressed state is kept meanwhile.
    package var spoolDirectory: String

    package init(limits: SnapshotLimits = .init(), spoolDirectory: String = "/tmp") {
        self.limits = limits
        self.spoolDirectory = spoolDirectory
    }

    /// Writes the archive to `sink`, in pieces that are only lent; returns what it wrote about.
    ///
    /// Blocks until it is done: for a thread of its own. Throws what `sink` throws, or a
    /// `SnapshotError`. The same state and metadata give the same bytes.
    @discardableResult
    package func write(
        store: StateStore,
        metadata: SnapshotMetadata,
        to sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> SnapshotMetadata {
        let spool = Spool(memoryBytes: limits.spoolMemoryBytes, directory: spoolDirectory)
        let compressor = BlockCompressor(limits: limits, spool: spool)
        try store.writeRecords { (piece) throws(SnapshotError) in
            try compressor.append(piece)
        }
        let state = try compressor.finish()

        let file = MetadataFile(metadata, stateBytes: state.bytes, carried: store.carriedState)
        let meta = file.bytes
        let seconds = metadata.created.nanosecondsSinceEpoch / 1_000_000_000
        let deflater = try Deflater(level: limits.compressionLevel)
        let head = deflater.compress(
            TarFormat.header(name: "meta.json", size: meta.count, seconds: seconds) + meta
                + TarFormat.padding(after: meta.count)
                + TarFormat.header(name: "state.bin", size: state.bytes, seconds: seconds)
        )
        let sums = ArchiveSums.text([
            ("meta.json", ArchiveSums.hex(SHA256.hash(data: meta))), ("state.bin", state.digest),
        ])
        let tail = deflater.compress(
            TarFormat.padding(after: state.bytes)
                + TarFormat.header(name: "SHA256SUMS", size: sums.count, seconds: seconds) + sums
                + TarFormat.padding(after: sums.count) + TarFormat.end,
            isLast: true
        )
        try (GzipWrapper.header + head.compressed).withUnsafeBytes { try sink($0) }
        try spool.drain(to: sink)
        var checksum = Checksum()
        checksum.append(head)
        checksum.append(checksum: state.checksum, bytes: state.bytes)
        checksum.append(tail)
        try (tail.compressed + GzipWrapper.trailer(checksum)).withUnsafeBytes { try sink($0) }
        var written = metadata
        written.stateBytes = state.bytes
        return written
    }
}

/// `SHA256SUMS`: a line `hex  name` for each file.
enum ArchiveSums {
    static func text(_ sums: [(name: String, digest: String)]) -> [UInt8] {
        Array(sums.map { "\($0.digest)  \($0.name)\n" }.joined().utf8)
    }

    static func hex(_ digest: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let bytes = digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The digests by name; nil when a line is something else.
    static func parse(_ text: [UInt8]) -> [String: String]? {
        var sums: [String: String] = [:]
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let line = String(decoding: line, as: UTF8.self)
            guard line.utf8.count > 66 else { return nil }
            let digest = line.prefix(64)
            let rest = line.dropFirst(64)
            guard rest.hasPrefix("  "), digest.allSatisfy(\.isHexDigit) else { return nil }
            let name = String(rest.dropFirst(2))
            guard sums.updateValue(digest.lowercased(), forKey: name) == nil else { return nil }
        }
        return sums
    }
}
