/// How large snapshots may be; what is larger is refused with `SnapshotError.limit`.
package struct SnapshotLimits: Hashable, Sendable {
    /// Bytes of a compressed archive.
    package var archiveBytes = 16 << 30
    /// Bytes of `state.bin`.
    package var stateBytes = 256 << 30
    /// Bytes of `meta.json`: a few for each node and service, and the table of applied requests.
    package var metadataBytes = 256 << 20
    /// Bytes of `SHA256SUMS`.
    package var sumsBytes = 4096
    /// How much longer the content may be than its compressed form, beyond `ratioFreeBytes`.
    ///
    /// Repetitive registries reach about 100; deflate cannot exceed 1032.
    package var ratio = 500
    /// Bytes of content whose ratio is not looked at.
    package var ratioFreeBytes = 64 << 20
    /// Bytes of compressed state that are held in memory while an archive is written.
    ///
    /// What is beyond goes to a file in `spoolDirectory` that has no name.
    package var spoolMemoryBytes = 32 << 20
    /// Effort of compression, from 1 to 9.
    package var compressionLevel: Int32 = 1
    /// Blocks of a megabyte that are compressed at the same time while an archive is written.
    package var compressionThreads = 2
    /// Bytes of partial snapshots from other servers that are kept for a transfer to go on.
    package var partialFiles = 2

    /// Bytes of an archive that are read or sent at a time.
    package var pieceBytes = 256 << 10

    package init() {}
}
