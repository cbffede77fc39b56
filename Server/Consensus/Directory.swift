import DurableLog
import Glibc
import WriteAheadLog

/// Directories of this server's own.
enum Directory {
    /// Makes a directory and those above it, as far as they are not there.
    static func make(_ path: String) throws(StorageFailure) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += made.isEmpty || made == "/" ? part : "/\(part)"
            guard mkdir(made, 0o700) != 0, errno != EEXIST else { continue }
            let code = errno
            throw StorageFailure(
                operation: "make",
                file: made,
                code: code,
                reason: String(cString: strerror(code))
            )
        }
    }

    /// Makes a server's directory, or says in words why it cannot be.
    static func prepare(_ path: String) throws(ConsensusError) {
        do throws(StorageFailure) {
            try make(path)
        } catch {
            throw ConsensusError("cannot \(error.operation) \(error.file): \(error.reason)")
        }
    }

    /// A directory for a log, made when it is not there, and locked.
    static func storage(_ path: String) throws(DurableLogError) -> PosixStorage {
        do {
            try make(path)
            return try PosixStorage(path: path)
        } catch {
            throw .log(.storage(error))
        }
    }
}
