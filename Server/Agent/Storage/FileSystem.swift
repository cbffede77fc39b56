import Glibc

/// What a file operation failed with, in words for a person.
struct StorageError: Error, Hashable, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }

    init(_ operation: String, _ path: String, code: CInt) {
        description = "\(operation) \(path): \(String(cString: strerror(code)))"
    }
}

/// The few file operations that the agent needs; each blocks.
enum FileSystem {
    /// The whole file, at most `limit` bytes of it.
    static func read(_ path: String, limit: Int) throws(StorageError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw StorageError("open", path, code: errno) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw StorageError("read", path, code: errno)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[0..<count])
            guard bytes.count <= limit else {
                throw StorageError("read \(path): larger than \(limit) bytes")
            }
        }
    }

    /// Replaces the file as a whole: whoever reads it finds the old text or the new one.
    ///
    /// With `isDurable` the new text survives a loss of power once this returns.
    static func replace(
        _ path: String,
        with bytes: [UInt8],
        mode: mode_t = 0o600,
        isDurable: Bool
    ) throws(StorageError) {
        let temporary = path + temporarySuffix
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard file >= 0 else { throw StorageError("create", temporary, code: errno) }
        do throws(StorageError) {
            try write(bytes, to: file, temporary)
            if isDurable, fsync(file) != 0 {
                throw StorageError("fsync", temporary, code: errno)
            }
        } catch {
            close(file)
            unlink(temporary)
            throw error
        }
        close(file)
        guard rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            throw StorageError("rename", temporary, code: code)
        }
        if isDurable { try syncFolder(of: path) }
    }

    static let temporarySuffix = ".tmp"

    /// Removes a file; one that is not there is no error.
    static func remove(_ path: String) throws(StorageError) {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw StorageError("remove", path, code: errno)
        }
    }

    /// The names in a directory, in byte order; empty when it is not there.
    static func list(_ path: String) throws(StorageError) -> [String] {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return [] }
            throw StorageError("open", path, code: errno)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Makes the directory and those above it.
    static func makeDirectory(_ path: String) throws(StorageError) {
        var partial = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            partial += partial.isEmpty || partial.hasSuffix("/") ? String(part) : "/\(part)"
            guard mkdir(partial, 0o755) == 0 || errno == EEXIST || isDirectory(partial) else {
                throw StorageError("mkdir", partial, code: errno)
            }
        }
    }

    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func write(
        _ bytes: [UInt8],
        to file: CInt,
        _ path: String
    ) throws(StorageError) {
        var position = 0
        while position < bytes.count {
            let count = bytes[position...].withUnsafeBytes { buffer in
                Glibc.write(file, buffer.baseAddress, buffer.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw StorageError("write", path, code: errno)
            }
            position += count
        }
    }

    private static func syncFolder(of path: String) throws(StorageError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let file = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw StorageError("open", folder, code: errno) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw StorageError("fsync", folder, code: errno) }
    }
}
