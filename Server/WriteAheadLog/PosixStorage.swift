#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A directory of the operating system.
///
/// Holds a lock on the directory while it lives, so that no two servers write one log.
package final class PosixStorage: Storage, Sendable {
    package let path: String
    private let directory: Int32

    /// Opens the directory, which must exist.
    ///
    /// With `exclusively` it is locked; a directory that another process has locked is refused.
    package init(path: String, exclusively: Bool = true) throws(StorageFailure) {
        let descriptor = Self.retrying {
            openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard descriptor >= 0 else { throw Self.failure("open", path) }
        if exclusively, flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            _ = posixClose(descriptor)
            guard code == EWOULDBLOCK else { throw Self.failure("lock", path, code: code) }
            throw StorageFailure(
                operation: "lock",
                file: path,
                code: code,
                reason: "another process uses this directory"
            )
        }
        self.path = path
        directory = descriptor
    }

    deinit {
        // A child that is about to start another program may hold the descriptor for a moment: the
        // lock must not live as long as that.
        flock(directory, LOCK_UN)
        _ = posixClose(directory)
    }

    package func list() throws(StorageFailure) -> [String] {
        let copy = Self.retrying { openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard copy >= 0 else { throw Self.failure("list", path) }
        guard let stream = fdopendir(copy) else {
            let failure = Self.failure("list", path)
            _ = posixClose(copy)
            throw failure
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let found = readdir(stream) {
            let name = withUnsafeBytes(of: found.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw Self.failure("list", path) }
        return names
    }

    package func open(_ name: String, forWriting: Bool) throws(StorageFailure) -> StorageFile {
        let flags = (forWriting ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW
        let descriptor = Self.retrying { openat(directory, name, flags) }
        guard descriptor >= 0 else { throw Self.failure("open", name) }
        return StorageFile(rawValue: descriptor)
    }

    package func create(_ name: String, sizeBytes: Int) throws(StorageFailure) -> StorageFile {
        let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let descriptor = Self.retrying { openat(directory, name, flags, 0o600) }
        guard descriptor >= 0 else { throw Self.failure("create", name) }
        // Returns its error instead of setting `errno`.
        let code = posix_fallocate(descriptor, 0, off_t(sizeBytes))
        guard code == 0 else {
            _ = posixClose(descriptor)
            throw Self.failure("set space aside for", name, code: code)
        }
        return StorageFile(rawValue: descriptor)
    }

    package func size(of file: StorageFile) throws(StorageFailure) -> Int {
        var status = stat()
        guard fstat(file.rawValue, &status) == 0 else { throw failure("measure", file) }
        return Int(status.st_size)
    }

    package func read(
        _ file: StorageFile,
        at offset: Int,
        count: Int
    ) throws(StorageFailure) -> [UInt8] {
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count, let base = buffer.baseAddress {
                let got = pread(
                    file.rawValue,
                    base + initialized,
                    count - initialized,
                    off_t(offset + initialized)
                )
                if got < 0, errno == EINTR { continue }
                if got < 0 { code = errno }
                guard got > 0 else { break }
                initialized += got
            }
        }
        guard code == 0 else { throw failure("read", file, code: code) }
        return bytes
    }

    package func write(
        _ bytes: [UInt8],
        to file: StorageFile,
        at offset: Int
    ) throws(StorageFailure) {
        var code: Int32 = 0
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count, let base = buffer.baseAddress {
                let count = pwrite(
                    file.rawValue,
                    base + written,
                    buffer.count - written,
                    off_t(offset + written)
                )
                if count < 0, errno == EINTR { continue }
                if count <= 0 {
                    code = count == 0 ? EIO : errno
                    return
                }
                written += count
            }
        }
        guard code == 0 else { throw failure("write", file, code: code) }
    }

    package func sync(_ file: StorageFile) throws(StorageFailure) {
        guard fdatasync(file.rawValue) == 0 else { throw failure("sync", file) }
    }

    package func truncate(
        _ file: StorageFile,
        toBytes sizeBytes: Int
    ) throws(StorageFailure) {
        guard ftruncate(file.rawValue, off_t(sizeBytes)) == 0 else {
            throw failure("truncate", file)
        }
    }

    package func close(_ file: StorageFile) {
        _ = posixClose(file.rawValue)
    }

    package func rename(_ name: String, to newName: String) throws(StorageFailure) {
        guard renameat(directory, name, directory, newName) == 0 else {
            throw Self.failure("rename", name)
        }
    }

    package func delete(_ name: String) throws(StorageFailure) {
        guard unlinkat(directory, name, 0) == 0 else { throw Self.failure("delete", name) }
    }

    package func syncDirectory() throws(StorageFailure) {
        guard fsync(directory) == 0 else { throw Self.failure("sync", path) }
    }

    package func freeBytes() throws(StorageFailure) -> UInt64 {
        var status = statvfs()
        guard fstatvfs(directory, &status) == 0 else { throw Self.failure("measure", path) }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    private func failure(
        _ operation: String,
        _ file: StorageFile,
        code: Int32 = errno
    ) -> StorageFailure {
        Self.failure(operation, "\(path), descriptor \(file.rawValue)", code: code)
    }

    private static func failure(
        _ operation: String,
        _ file: String,
        code: Int32 = errno
    ) -> StorageFailure {
        StorageFailure(
            operation: operation,
            file: file,
            code: code,
            reason: strerror(code).map { String(cString: $0) } ?? "error \(code)",
            isOutOfSpace: code == ENOSPC || code == EDQUOT
        )
    }

    private static func retrying(_ call: () -> Int32) -> Int32 {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }
}

/// The system's `close`, which a method of the same name would hide.
private func posixClose(_ descriptor: Int32) -> Int32 {
    close(descriptor)
}
