#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A directory of small files that are replaced whole; its calls block.
///
/// A file appears under its name only when its bytes are on disk. Who holds the lock writes: of
/// several processes that share the directory, one.
struct SnapshotDirectory: Sendable {
    /// A call of the system that failed.
    struct Failure: Error, CustomStringConvertible {
        let call: String
        let path: String
        let code: Int32

        var description: String { "\(call) \(path): \(String(cString: strerror(code)))" }
    }

    let path: String

    /// Creates the directory and what is above it when missing, for this user alone.
    func create() throws(Failure) {
        var partial = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: false) {
            partial += partial.isEmpty && part.isEmpty ? "/" : "\(part)/"
            guard mkdir(partial, 0o700) != 0 else { continue }
            let code = errno
            // One above may be another's, where nothing can be made: it only has to be there.
            guard code != EEXIST, access(partial, F_OK) != 0 else { continue }
            throw Failure(call: "mkdir", path: partial, code: code)
        }
    }

    /// Takes the lock; nil while another process, or another part of this one, has it.
    func lock() throws(Failure) -> Int32? {
        let file = "\(path)/lock"
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(call: "open", path: file, code: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            if code == EWOULDBLOCK { return nil }
            throw Failure(call: "flock", path: file, code: code)
        }
        return descriptor
    }

    /// Gives the lock back.
    func unlock(_ descriptor: Int32) { close(descriptor) }

    /// The bytes of a file, nil when there is none.
    func contents(of name: String, atMost limit: Int) throws(Failure) -> [UInt8]? {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Failure(call: "open", path: file, code: errno)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = pread(descriptor, &piece, piece.count, off_t(bytes.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure(call: "read", path: file, code: errno) }
            if count == 0 { return bytes }
            bytes += piece[..<count]
            guard bytes.count <= limit else {
                throw Failure(call: "read", path: file, code: EFBIG)
            }
        }
    }

    /// Replaces a file: the old or the new bytes are there at every moment, never a mixture.
    func replace(_ name: String, with bytes: [UInt8]) throws(Failure) {
        let temporary = "\(path)/\(name).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(call: "open", path: temporary, code: errno) }
        do {
            defer { close(descriptor) }
            try Self.write(bytes, to: descriptor, temporary)
            guard fsync(descriptor) == 0 else {
                throw Failure(call: "fsync", path: temporary, code: errno)
            }
        }
        guard rename(temporary, "\(path)/\(name)") == 0 else {
            throw Failure(call: "rename", path: temporary, code: errno)
        }
        try syncDirectory()
    }

    private static func write(
        _ bytes: [UInt8],
        to descriptor: Int32,
        _ file: String
    ) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { rest in
                pwrite(descriptor, rest.baseAddress, rest.count, off_t(done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure(call: "write", path: file, code: errno) }
            done += count
        }
    }

    /// Makes the new name itself last.
    private func syncDirectory() throws(Failure) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(call: "open", path: path, code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw Failure(call: "fsync", path: path, code: errno)
        }
    }
}
