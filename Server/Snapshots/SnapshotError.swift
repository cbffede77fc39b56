package import StateStore

/// Why a snapshot cannot be read or written; what was there before is unchanged.
package enum SnapshotError: Error, Hashable, Sendable {
    /// The bytes are not a snapshot, or not all of one.
    case damaged(ArchiveDamage)
    /// The archive is whole, but what it holds is not a state.
    case state(StateStreamError)
    /// More than `SnapshotLimits` allows.
    case limit(String)
    /// A later version wrote it.
    case otherVersion(found: UInt64)
    /// The disk failed or is full: the process must end.
    case storage(FileFailure)
    /// A stored snapshot is not what was written; nothing was changed.
    case damagedFile(file: String, reason: String)
    /// Compression failed for want of memory.
    case outOfMemory

    /// What happened, and what to do about it.
    package var message: String {
        switch self {
        case .damaged(let damage):
            "\(damage.message); take another copy of the snapshot"
        case .state(let error):
            "failed to read snapshot file: \(error.message)"
        case .limit(let text):
            "failed to read snapshot file: \(text); if the snapshot is to be trusted, raise the "
                + "limit"
        case .otherVersion(let found):
            "failed to read snapshot file: the snapshot has version \(found) of its own part, "
                + "later than \(SnapshotMetadata.version); use the program that wrote it, or a "
                + "later one"
        case .storage(let failure):
            failure.message
        case .damagedFile(let file, let reason):
            "\(file) is damaged: \(reason). Nothing was changed: set the server's data directory "
                + "aside and let it join again with an empty one, or restore the whole directory "
                + "from a backup"
        case .outOfMemory:
            "no memory for compression; stop other programs or add memory"
        }
    }
}

/// A place in an archive that does not hold what it should.
package struct ArchiveDamage: Error, Hashable, Sendable {
    /// Which part of the archive.
    package enum Place: String, Hashable, Sendable {
        /// What gzip begins with.
        case header
        case gzip
        case tar
        case metadata = "meta.json"
        case state = "state.bin"
        case sums = "SHA256SUMS"
    }

    package var place: Place
    package var reason: String
    /// Whether the bytes only stop too early.
    package var isTruncation: Bool

    package init(_ place: Place, _ reason: String, isTruncation: Bool = false) {
        self.place = place
        self.reason = reason
        self.isTruncation = isTruncation
    }

    /// What Consul says of an archive with this damage, as far as it does.
    ///
    /// - Source: Consul: PUT /v1/snapshot with archives that are none.
    package var message: String {
        switch place {
        case .header: "failed to decompress snapshot: \(reason)"
        case .gzip:
            "failed to read snapshot file: failed to read or write snapshot data: \(reason)"
        case .tar: "failed to read snapshot file: \(reason)"
        case .metadata:
            "failed to read snapshot file: failed to decode snapshot metadata: \(reason)"
        case .state, .sums:
            "failed to read snapshot file: failed checking integrity of snapshot: \(reason)"
        }
    }
}

extension ArchiveDamage.Place: CustomStringConvertible {
    package var description: String { rawValue }
}

/// A call about a file that the operating system did not carry out.
package struct FileFailure: Error, Hashable, Sendable {
    /// What was tried, as one verb.
    package var operation: String
    package var file: String
    /// The number that the system gave, as in `errno`; 0 when it was not the system.
    package var code: Int32
    package var reason: String
    package var isOutOfSpace: Bool

    package init(
        operation: String,
        file: String,
        code: Int32,
        reason: String,
        isOutOfSpace: Bool = false
    ) {
        self.operation = operation
        self.file = file
        self.code = code
        self.reason = reason
        self.isOutOfSpace = isOutOfSpace
    }

    package var message: String {
        let remedy =
            isOutOfSpace
            ? "free space on this file system and start again"
            : "look after the disk and start again, snapshots are checked at start"
        return "cannot \(operation) \(file): \(reason); \(remedy)"
    }
}
