#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Bytes that are written once and then read once: the first in memory, the rest in a file.
///
/// The file has no name: nothing is left behind, whatever happens.
final class Spool {
    private let memoryBytes: Int
    private let directory: String
    private var memory: [UInt8] = []
    private var file: Int32 = -1
    private var fileBytes = 0

    init(memoryBytes: Int, directory: String) {
        self.memoryBytes = memoryBytes
        self.directory = directory
    }

    deinit {
        if file >= 0 { close(file) }
    }

    func append(_ bytes: [UInt8]) throws(SnapshotError) {
        guard file >= 0 || memory.count + bytes.count > memoryBytes else {
            memory += bytes
            return
        }
        if file < 0 { try openFile() }
        try bytes.withUnsafeBufferPointer { (bytes) throws(SnapshotError) in
            let bytes = UnsafeRawBufferPointer(bytes)
            try FileCalls.writeAll(bytes, to: file, at: fileBytes, name: directory)
        }
        fileBytes += bytes.count
    }

    /// Hands everything on, in order, in pieces.
    func drain(
        to sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try memory.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: 1 << 18) {
                let piece = bytes[start..<min(start + 1 << 18, bytes.count)]
                try sink(UnsafeRawBufferPointer(rebasing: piece))
            }
        }
        memory = []
        var offset = 0
        while offset < fileBytes {
            let piece = try FileCalls.read(
                file,
                at: offset,
                count: min(1 << 18, fileBytes - offset),
                name: directory
            )
            guard !piece.isEmpty else {
                let failure = FileFailure(
                    operation: "read",
                    file: directory,
                    code: 0,
                    reason: "a temporary file is shorter than it was written"
                )
                throw SnapshotError.storage(failure)
            }
            try piece.withUnsafeBytes { try sink($0) }
            offset += piece.count
        }
    }

    private func openFile() throws(SnapshotError) {
        var template = Array((directory + "/snapshot-XXXXXX").utf8CString)
        let descriptor = template.withUnsafeMutableBufferPointer { buffer -> Int32 in
            guard let base = buffer.baseAddress else { return -1 }
            let opened = mkstemp(base)
            guard opened >= 0 else { return -1 }
            _ = fcntl(opened, F_SETFD, FD_CLOEXEC)
            unlink(base)
            return opened
        }
        guard descriptor >= 0 else {
            throw .storage(FileCalls.failure("create a temporary file in", directory))
        }
        file = descriptor
    }
}
