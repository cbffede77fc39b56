#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The calls of the operating system that snapshots need, whole or failed.
enum FileCalls {
    static func failure(_ operation: String, _ file: String, code: Int32 = errno) -> FileFailure {
        FileFailure(
            operation: operation,
            file: file,
            code: code,
            reason: String(cString: strerror(code)),
            isOutOfSpace: code == ENOSPC || code == EDQUOT
        )
    }

    /// Repeats a call that a signal interrupted.
    static func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
        while true {
            let result = call()
            if result != -1 || errno != EINTR { return result }
        }
    }

    static func writeAll(
        _ bytes: UnsafeRawBufferPointer,
        to file: Int32,
        at offset: Int,
        name: String
    ) throws(SnapshotError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = retrying { pwrite(file, rest.baseAddress, rest.count, offset + done) }
            guard count > 0 else { throw .storage(failure("write", name)) }
            done += count
        }
    }

    /// Up to `count` bytes from `offset` on; fewer only where the file ends.
    static func read(
        _ file: Int32,
        at offset: Int,
        count: Int,
        name: String
    ) throws(SnapshotError) -> [UInt8] {
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let got = retrying {
                    pread(
                        file,
                        buffer.baseAddress.map { $0 + filled },
                        count - filled,
                        offset + filled
                    )
                }
                if got < 0 { code = errno }
                guard got > 0 else { return }
                filled += got
            }
        }
        guard code == 0 else { throw .storage(failure("read", name, code: code)) }
        return bytes
    }

    static func size(of file: Int32, name: String) throws(SnapshotError) -> Int {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .storage(failure("look at", name)) }
        return Int(status.st_size)
    }

    static func sync(_ file: Int32, name: String) throws(SnapshotError) {
        guard retrying({ fsync(file) }) == 0 else { throw .storage(failure("sync", name)) }
    }
}
