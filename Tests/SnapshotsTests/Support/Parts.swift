import CZlib
import Crypto
import Foundation
import StateStore

@testable import Snapshots

/// The files of an archive, to be put together again in other ways.
struct Parts {
    typealias File = (name: String, bytes: [UInt8])

    var files: [File] = []
    var meta: File { files[0] }
    var state: File { files[1] }
    var sums: File { files[2] }

    init(of archive: [UInt8]) throws {
        var tar = try gunzip(archive)[...]
        while case .file(let name, let size) = TarFormat.parse(Array(tar.prefix(512))) {
            tar = tar.dropFirst(512)
            files.append((name, Array(tar.prefix(size))))
            tar = tar.dropFirst(size + TarFormat.paddingBytes(after: size))
        }
    }

    static func entry(_ file: File) -> [UInt8] {
        TarFormat.header(name: file.name, size: file.bytes.count, seconds: 0) + file.bytes
            + TarFormat.padding(after: file.bytes.count)
    }

    static func tar(_ files: [File]) -> [UInt8] {
        files.flatMap { entry($0) } + TarFormat.end
    }

    func archive() -> [UInt8] { Self.archive(files) }

    /// An archive of these files with checksums that are right.
    static func archive(_ files: [File]) -> [UInt8] {
        var files = files
        files[2].bytes = ArchiveSums.text(
            files.prefix(2).map { ($0.name, ArchiveSums.hex(SHA256.hash(data: $0.bytes))) }
        )
        return gzip(tar(files))
    }

    /// Makes the first header's checksum right again.
    static func fixChecksum(_ tar: inout [UInt8]) {
        for offset in 148..<156 { tar[offset] = 0x20 }
        let sum = String(tar[0..<512].reduce(0) { $0 + Int($1) }, radix: 8)
        let text = String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} "
        tar.replaceSubrange(148..<156, with: text.utf8)
    }
}

func gzip(_ content: [UInt8]) -> [UInt8] {
    guard let deflater = try? Deflater(level: 6) else { return [] }  // Only without memory.
    let block = deflater.compress(content, isLast: true)
    var checksum = Checksum()
    checksum.append(block)
    return GzipWrapper.header + block.compressed + GzipWrapper.trailer(checksum)
}

func gunzip(_ archive: [UInt8]) throws -> [UInt8] {
    let inflater = try Inflater(limits: SnapshotLimits())
    var content: [UInt8] = []
    try archive.withUnsafeBytes { bytes in
        try inflater.consume(bytes) { content.append(contentsOf: $0) }
    }
    return content
}

func stateFile(of archive: [UInt8]) throws -> [UInt8] {
    try Parts(of: archive).state.bytes
}

func records(of stream: [UInt8]) throws -> [(type: UInt8, bytes: [UInt8])] {
    var framer = RecordFramer()
    var records: [(type: UInt8, bytes: [UInt8])] = []
    try stream.withUnsafeBytes { bytes in
        try framer.consume(bytes) { records.append(($0.type.rawValue, Array($0.value))) }
    }
    try framer.finish { records.append(($0.type.rawValue, Array($0.value))) }
    return records
}

/// What Consul 1.8.7 saved: see `Tests/Conformance/snapshot_interchange.py`.
func goldenArchive() throws -> [UInt8] {
    let url = Bundle.module.bundleURL.appendingPathComponent("Golden/consul-1.8.7.snap")
    return Array(try Data(contentsOf: url))
}

/// A folder of its own that goes with the test.
final class TestDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/snapshots-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)  // The system clears what is left.
    }

    var names: [String] {
        // A folder that is gone has no files.
        let found = try? FileManager.default.contentsOfDirectory(atPath: path)
        return (found ?? []).sorted()
    }
}
