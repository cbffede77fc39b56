import Glibc
import Snapshots
import Synchronization

/// A file that is read from its start, piece by piece.
final class InputFile: Sendable {
    let sizeBytes: Int
    private let descriptor: Int32
    private let path: String
    private let offset = Mutex(0)

    init(_ path: String) throws {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = Console.errorText(errno)
            throw CommandFailure("Error opening snapshot file: open \(path): \(reason)")
        }
        self.path = path
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let reason = Console.errorText(errno)
            throw CommandFailure("Error opening snapshot file: stat \(path): \(reason)")
        }
        sizeBytes = Int(status.st_size)
    }

    deinit {
        close(descriptor)
    }

    /// The next bytes; empty at the end.
    func read() throws(SnapshotError) -> [UInt8] {
        var code: Int32 = 0
        let place = offset.withLock(\.self)
        let piece = [UInt8](unsafeUninitializedCapacity: 1 << 18) { buffer, count in
            var got: Int
            repeat {
                got = pread(descriptor, buffer.baseAddress, buffer.count, place)
            } while got
                < 0 && errno == EINTR
            if got < 0 { code = errno }
            count = max(0, got)
        }
        guard code == 0 else {
            let reason = Console.errorText(code)
            throw .storage(FileFailure(operation: "read", file: path, code: code, reason: reason))
        }
        offset.withLock { $0 = place + piece.count }
        return piece
    }

    func rewind() {
        offset.withLock { $0 = 0 }
    }

    /// The file's bytes from its start.
    var pieces: AsyncThrowingStream<[UInt8], any Error> {
        rewind()
        return AsyncThrowingStream {
            let piece = try self.read()
            return piece.isEmpty ? nil : piece
        }
    }
}

/// A file that gets its name only when it is known to be a whole snapshot.
///
/// - Source: Consul: `consul snapshot save` writes `FILE.unverified…` first.
final class UnverifiedFile: Sendable {
    private let path: String
    private let temporary: String
    private let descriptor: Int32

    init(for path: String) throws {
        self.path = path
        temporary = "\(path).unverified.tmp\(UInt32.random(in: 0...999_999_999))"
        descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let reason = Console.errorText(errno)
            throw CommandFailure(
                "Error writing unverified snapshot file: open \(temporary): \(reason)"
            )
        }
    }

    deinit {
        close(descriptor)
    }

    func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let reason = Console.errorText(errno)
                throw CommandFailure(
                    "Error writing unverified snapshot file: write \(temporary): \(reason)"
                )
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads the file back and gives the index of the state it holds.
    func verify() throws -> UInt64 {
        let file = try InputFile(temporary)
        do throws(SnapshotError) {
            return try SnapshotInspection.verify(next: file.read).index
        } catch {
            throw CommandFailure("Error verifying snapshot file: \(error.message)")
        }
    }

    /// Gives the file its name, for good.
    func keep() throws {
        guard fsync(descriptor) == 0, rename(temporary, path) == 0 else {
            let reason = Console.errorText(errno)
            throw CommandFailure(
                "Error renaming \"\(temporary)\" to \"\(path)\": \(reason)"
            )
        }
    }

    func remove() {
        unlink(temporary)
    }
}
