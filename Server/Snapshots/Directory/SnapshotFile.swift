#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A stored snapshot that is open for reading, from any place and any thread.
package final class SnapshotFile: Sendable {
    package let name: SnapshotName
    package let sizeBytes: Int
    private let file: Int32
    private let path: String

    /// Takes the descriptor over, also when it throws.
    init(_ file: Int32, name: SnapshotName, path: String) throws(SnapshotError) {
        self.file = file
        self.name = name
        self.path = path
        sizeBytes = try FileCalls.size(of: file, name: path)
    }

    deinit {
        close(file)
    }

    /// The bytes from `offset` on; fewer than `count` only at the end.
    package func read(at offset: Int, count: Int) throws(SnapshotError) -> [UInt8] {
        let wanted = min(count, max(0, sizeBytes - offset))
        let bytes = try FileCalls.read(file, at: offset, count: wanted, name: path)
        guard bytes.count == wanted else {
            let failure = FileFailure(
                operation: "read",
                file: path,
                code: 0,
                reason: "it is shorter than it was when it was opened"
            )
            throw .storage(failure)
        }
        return bytes
    }
}

/// A snapshot that comes from another server, piece by piece, with gaps in time but not in bytes.
///
/// For one thread at a time.
package final class SnapshotReceiver {
    package let name: SnapshotName
    package let sizeBytes: Int
    /// How much of it is here: where the sender goes on.
    package private(set) var offset: Int
    private let file: Int32
    private let path: String

    init(
        _ file: Int32,
        name: SnapshotName,
        path: String,
        sizeBytes: Int
    ) throws(SnapshotError) {
        self.file = file
        self.name = name
        self.path = path
        self.sizeBytes = sizeBytes
        offset = 0
        let present = try FileCalls.size(of: file, name: path)
        // Longer than it can be: it is of something else.
        offset = present <= sizeBytes ? present : 0
        if offset != present { try truncate() }
    }

    deinit {
        close(file)
    }

    package var isComplete: Bool { offset == sizeBytes }

    /// Takes the next bytes in; false when they do not begin at `offset` or go beyond the end.
    package func append(_ bytes: [UInt8], at place: Int) throws(SnapshotError) -> Bool {
        guard place == offset, bytes.count <= sizeBytes - offset else { return false }
        try bytes.withUnsafeBufferPointer { (bytes) throws(SnapshotError) in
            let bytes = UnsafeRawBufferPointer(bytes)
            try FileCalls.writeAll(bytes, to: file, at: offset, name: path)
        }
        offset += bytes.count
        return true
    }

    /// Forgets what came, so that the sender starts from the first byte.
    package func restart() throws(SnapshotError) {
        offset = 0
        try truncate()
    }

    /// Makes what came last; it must be all.
    func seal() throws(SnapshotError) {
        guard isComplete else {
            throw .damaged(
                ArchiveDamage(
                    .gzip,
                    "\(offset) of \(sizeBytes) bytes were received",
                    isTruncation: true
                )
            )
        }
        try FileCalls.sync(file, name: path)
    }

    private func truncate() throws(SnapshotError) {
        guard FileCalls.retrying({ ftruncate(file, 0) }) == 0 else {
            throw .storage(FileCalls.failure("truncate", path))
        }
    }
}
