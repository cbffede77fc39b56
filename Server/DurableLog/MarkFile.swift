import Checksums
import Model
package import Raft
import WriteAheadLog

/// What a server remembers of the others of its cluster, as it is on disk.
package struct ServerMarks: Hashable, Sendable {
    /// The cluster of the servers; marks of another one say nothing.
    package var cluster: UInt128 = 0
    package var servers: [NodeID: ServerMark] = [:]

    /// The file beside the log's segments.
    static let fileName = "servers"
    /// Most servers that are believed of a file.
    static let greatestCount = 4096
}

/// The file of the marks: written as a whole under another name, then renamed.
///
/// Numbers are little-endian.
///
///     offset  size
///          0     8  magic "MUSTRSRV"
///          8     4  format version
///         12     4  count
///         16    16  cluster id
///         32    80  for each server, sorted by id: id 16 | birth of its log 16 | opened 8 |
///                   number of that opening 16 | term 8 | acknowledged 8 | kept 8
///                4  CRC-32C of everything before
///
/// Without the file nothing is remembered: its loss takes away a guard, never a server.
struct MarkFile<Disk: Storage> {
    private let disk: Disk

    init(_ disk: Disk) {
        self.disk = disk
    }

    /// What the file holds; nothing when there is none.
    func read() throws(DurableLogError) -> ServerMarks {
        let bytes: [UInt8]
        do throws(StorageFailure) {
            guard try disk.list().contains(ServerMarks.fileName) else { return ServerMarks() }
            let file = try disk.open(ServerMarks.fileName, forWriting: false)
            defer { disk.close(file) }
            bytes = try disk.read(file, at: 0, count: ServerMarks.greatestBytes)
        } catch {
            throw .log(.storage(error))
        }
        return try ServerMarks(bytes)
    }

    /// Replaces the file; when it returns the new one is on disk.
    func write(_ marks: ServerMarks) throws(DurableLogError) {
        let unfinished = ServerMarks.fileName + ".new"
        let bytes = marks.encoded
        do throws(StorageFailure) {
            // Left behind by a crash.
            if try disk.list().contains(unfinished) { try disk.delete(unfinished) }
            let file = try disk.create(unfinished, sizeBytes: bytes.count)
            defer { disk.close(file) }
            try disk.write(bytes, to: file, at: 0)
            try disk.sync(file)
            try disk.rename(unfinished, to: ServerMarks.fileName)
            try disk.syncDirectory()
        } catch {
            throw .log(.storage(error))
        }
    }
}

extension ServerMarks {
    private static let magic = [UInt8]("MUSTRSRV".utf8)
    private static let version: UInt32 = 1
    private static let headBytes = 32
    private static let serverBytes = 80
    private static let checksumBytes = 4
    static let greatestBytes = headBytes + greatestCount * serverBytes + checksumBytes

    var encoded: [UInt8] {
        let sorted = servers.sorted { $0.key < $1.key }.prefix(Self.greatestCount)
        var bytes = Self.magic
        bytes.append(number: Self.version)
        bytes.append(number: UInt32(sorted.count))
        bytes.append(number: cluster)
        for (id, mark) in sorted {
            bytes.append(number: id.rawValue)
            bytes.append(number: mark.birth)
            bytes.append(number: mark.count)
            bytes.append(number: mark.number)
            bytes.append(number: mark.term.rawValue)
            bytes.append(number: mark.acknowledged.rawValue)
            bytes.append(number: mark.kept.rawValue)
        }
        bytes.append(number: CRC32C.checksum(bytes))
        return bytes
    }

    /// Reads the bytes of a file; refuses what `encoded` does not give.
    init(_ bytes: [UInt8]) throws(DurableLogError) {
        guard bytes.count >= Self.headBytes + Self.checksumBytes, bytes.starts(with: Self.magic)
        else { throw .marksDamaged("it is no such file") }
        var tail = ByteReader(Array(bytes.suffix(Self.checksumBytes)))
        guard tail.number(UInt32.self) == CRC32C.checksum(Array(bytes.dropLast(4))) else {
            throw .marksDamaged("it fails its checksum")
        }
        var reader = ByteReader(Array(bytes.dropFirst(Self.magic.count)))
        let version = reader.number(UInt32.self) ?? 0
        guard version == Self.version else {
            throw .marksDamaged("it has format version \(version), not \(Self.version)")
        }
        let count = Int(reader.number(UInt32.self) ?? 0)
        cluster = reader.number(UInt128.self) ?? 0
        guard bytes.count == Self.headBytes + count * Self.serverBytes + Self.checksumBytes else {
            throw .marksDamaged("it has \(bytes.count) bytes for \(count) servers")
        }
        for _ in 0..<count {
            guard let (id, mark) = reader.mark() else { throw .marksDamaged("it ends too early") }
            servers[id] = mark
        }
    }
}

extension ByteReader {
    fileprivate mutating func mark() -> (NodeID, ServerMark)? {
        guard let id = number(UInt128.self), let birth = number(UInt128.self),
            let count = number(UInt64.self), let opening = number(UInt128.self),
            let term = number(UInt64.self), let acknowledged = number(UInt64.self),
            let kept = number(UInt64.self)
        else { return nil }
        let mark = ServerMark(
            birth: birth,
            count: count,
            number: opening,
            term: Term(rawValue: term),
            acknowledged: LogIndex(rawValue: acknowledged),
            kept: LogIndex(rawValue: kept)
        )
        return (NodeID(rawValue: id), mark)
    }
}
