package import WriteAheadLog

/// A disk in memory that keeps after a crash only what was synced, and of the rest what chance
/// leaves of it.
package final class SimulatedStorage: Storage {
    /// A change that no sync has covered yet.
    private enum Change {
        case write(offset: Int, bytes: [UInt8])
        case truncate(Int)
    }

    private enum NameChange {
        case create(String, inode: Int)
        case rename(String, String)
        case delete(String)
    }

    private struct Inode {
        var synced: [UInt8] = []
        var current: [UInt8] = []
        var changes: [Change] = []
    }

    private var inodes: [Inode] = []
    private var names: [String: Int] = [:]
    private var syncedNames: [String: Int] = [:]
    private var nameChanges: [NameChange] = []
    private var files: [Int32: (inode: Int, isWritable: Bool)] = [:]
    private var nextFile: Int32 = 3
    /// How many operations were asked for.
    package private(set) var operations = 0
    /// The operation, counted from 0, that does not return, and none after it.
    package var crashAt: Int?
    /// The operation that reports an error after doing half its work.
    package var failAt: Int?
    /// Syncs that say they are done and are not: what no log survives.
    package var liesAboutSync = false
    package var capacityBytes = Int.max
    /// Where the next write to a segment goes instead, drawn with this seed; nil for no such fault.
    package var straySeed: UInt64?
    /// The write that went astray.
    package private(set) var stray: StrayWrite?
    package private(set) var writes = 0
    package private(set) var syncs = 0

    package init() {}

    package var openFiles: Int { files.count }

    package func list() throws(StorageFailure) -> [String] {
        try begin("list", "")
        // An order of its own, as a file system has.
        return names.keys.sorted().reversed()
    }

    package func open(_ name: String, forWriting: Bool) throws(StorageFailure) -> StorageFile {
        try begin("open", name)
        guard let inode = names[name] else { throw failure("open", name) }
        return handle(inode, isWritable: forWriting)
    }

    package func create(_ name: String, sizeBytes: Int) throws(StorageFailure) -> StorageFile {
        try begin("create", name)
        guard names[name] == nil else { throw failure("create", name) }
        guard usedBytes + sizeBytes <= capacityBytes else {
            throw StorageFailure(
                operation: "create",
                file: name,
                code: 28,
                reason: "full",
                isOutOfSpace: true
            )
        }
        inodes.append(Inode(current: [UInt8](repeating: 0, count: sizeBytes)))
        names[name] = inodes.count - 1
        nameChanges.append(.create(name, inode: inodes.count - 1))
        return handle(inodes.count - 1, isWritable: true)
    }

    package func size(of file: StorageFile) throws(StorageFailure) -> Int {
        try begin("measure", "")
        return inodes[try inode(file)].current.count
    }

    package func read(
        _ file: StorageFile,
        at offset: Int,
        count: Int
    ) throws(StorageFailure) -> [UInt8] {
        try begin("read", "")
        let bytes = inodes[try inode(file)].current
        guard offset < bytes.count else { return [] }
        return Array(bytes[offset..<min(bytes.count, offset + count)])
    }

    package func write(
        _ bytes: [UInt8],
        to file: StorageFile,
        at offset: Int
    ) throws(StorageFailure) {
        var inode = try writable(file)
        var offset = offset
        writes += 1
        if var random = straySeed.map(SeededRandom.init), isSegment(inode) {
            straySeed = nil
            let meant = StrayWrite.Place(inode: inode, offset: offset)
            (inode, offset) = lead(bytes.count, astray: meant, using: &random)
            stray = StrayWrite(meant: meant, found: .init(inode: inode, offset: offset))
            apply(.write(offset: offset, bytes: bytes), to: &inodes[inode].synced)
        }
        // A write that is cut off by a crash may have been under way.
        inodes[inode].changes.append(.write(offset: offset, bytes: bytes))
        apply(.write(offset: offset, bytes: bytes), to: &inodes[inode].current)
        try begin("write", "")
    }

    package func sync(_ file: StorageFile) throws(StorageFailure) {
        let inode = try inode(file)
        try begin("sync", "")
        syncs += 1
        if isLog(inode), stray?.isOver == false { stray?.syncs += 1 }
        guard !liesAboutSync else { return }
        inodes[inode].synced = inodes[inode].current
        inodes[inode].changes = []
    }

    package func truncate(_ file: StorageFile, toBytes sizeBytes: Int) throws(StorageFailure) {
        let inode = try writable(file)
        inodes[inode].changes.append(.truncate(sizeBytes))
        apply(.truncate(sizeBytes), to: &inodes[inode].current)
        try begin("truncate", "")
    }

    package func close(_ file: StorageFile) {
        files[file.rawValue] = nil
    }

    package func rename(_ name: String, to newName: String) throws(StorageFailure) {
        guard names[name] != nil else { throw failure("rename", name) }
        nameChanges.append(.rename(name, newName))
        apply(.rename(name, newName), to: &names)
        try begin("rename", name)
    }

    package func delete(_ name: String) throws(StorageFailure) {
        guard names[name] != nil else { throw failure("delete", name) }
        nameChanges.append(.delete(name))
        apply(.delete(name), to: &names)
        try begin("delete", name)
    }

    package func syncDirectory() throws(StorageFailure) {
        try begin("sync", ".")
        guard !liesAboutSync else { return }
        syncedNames = names
        nameChanges = []
    }

    package func freeBytes() throws(StorageFailure) -> UInt64 {
        UInt64(max(0, capacityBytes - usedBytes))
    }
}

extension SimulatedStorage {
    /// The power fails and comes back.
    package func crash(using random: inout some RandomNumberGenerator) {
        for inode in inodes.indices {
            for change in inodes[inode].changes {
                for part in survivors(of: change, using: &random) {
                    apply(part, to: &inodes[inode].synced)
                }
            }
            inodes[inode].changes = []
            inodes[inode].current = inodes[inode].synced
        }
        for change in nameChanges where random.chance(1, in: 2) {
            apply(change, to: &syncedNames)
        }
        names = syncedNames
        nameChanges = []
        restart()
    }

    /// The process ends and starts again; the disk notices nothing.
    package func restart() {
        files = [:]
        crashAt = nil
        failAt = nil
        straySeed = nil
        stray?.isOver = true
        operations = 0
    }

    /// Forgets the open files of a process that is gone, but keeps what is to go wrong.
    package func reopen() {
        files = [:]
    }

    /// What chance leaves of a change: nothing, all, or pieces of it, some zeroed or garbled.
    private func survivors(
        of change: Change,
        using random: inout some RandomNumberGenerator
    ) -> [Change] {
        guard case .write(let offset, let bytes) = change else {
            return random.chance(1, in: 2) ? [change] : []
        }
        switch random.below(3) {
        case 0: return []
        case 1: return [change]
        default: break
        }
        let unit = random.chance(1, in: 2) ? 512 : 1 + random.below(64)
        var parts: [Change] = []
        var at = 0
        while at < bytes.count {
            let end = min(bytes.count, (offset + at) / unit * unit + unit - offset)
            var piece = Array(bytes[at..<end])
            switch random.below(6) {
            case 0, 1: break
            case 2: piece = piece.map { _ in 0 }
            case 3: piece = piece.map { _ in UInt8(random.below(256)) }
            default:
                parts.append(.write(offset: offset + at, bytes: piece))
                at = end
                continue
            }
            if piece != Array(bytes[at..<end]) {
                parts.append(.write(offset: offset + at, bytes: piece))
            }
            at = end
        }
        return parts
    }

    private var usedBytes: Int {
        names.values.reduce(0) { $0 + inodes[$1].current.count }
    }

    private func begin(_ operation: String, _ name: String) throws(StorageFailure) {
        defer { operations += 1 }
        if let crashAt, operations >= crashAt { throw failure(operation, name) }
        if operations == failAt { throw failure(operation, name) }
    }

    private func failure(_ operation: String, _ name: String) -> StorageFailure {
        StorageFailure(operation: operation, file: name, code: 5, reason: "simulated")
    }

    private func handle(_ inode: Int, isWritable: Bool) -> StorageFile {
        nextFile += 1
        files[nextFile] = (inode, isWritable)
        return StorageFile(rawValue: nextFile)
    }

    private func inode(_ file: StorageFile) throws(StorageFailure) -> Int {
        guard let found = files[file.rawValue] else { throw failure("use", "a closed file") }
        return found.inode
    }

    private func writable(_ file: StorageFile) throws(StorageFailure) -> Int {
        guard let found = files[file.rawValue], found.isWritable else {
            throw failure("write", "a file that is not open for it")
        }
        return found.inode
    }

    private func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .write(let offset, let new):
            if bytes.count < offset + new.count {
                bytes += [UInt8](repeating: 0, count: offset + new.count - bytes.count)
            }
            bytes.replaceSubrange(offset..<(offset + new.count), with: new)
        case .truncate(let size):
            bytes = Array(bytes.prefix(size))
            bytes += [UInt8](repeating: 0, count: size - bytes.count)
        }
    }

    private func apply(_ change: NameChange, to names: inout [String: Int]) {
        switch change {
        case .create(let name, let inode): names[name] = inode
        case .rename(let name, let newName):
            guard let inode = names.removeValue(forKey: name) else { return }
            names[newName] = inode
        case .delete(let name): names[name] = nil
        }
    }
}

extension SimulatedStorage {
    /// The files of the log, oldest first.
    package var segmentNames: [String] { names.keys.filter { $0.hasSuffix(".wal") }.sorted() }

    /// Turns the bits of one byte that was written and synced.
    package func damage(_ name: String, at offset: Int, mask: UInt8 = 0xFF) {
        guard let inode = names[name], offset < inodes[inode].current.count else { return }
        inodes[inode].current[offset] ^= mask
        if offset < inodes[inode].synced.count { inodes[inode].synced[offset] ^= mask }
    }

    /// All files with their bytes.
    package var image: [String: [UInt8]] {
        get { names.mapValues { inodes[$0].current } }
        set {
            inodes = []
            names = [:]
            for (name, bytes) in newValue.sorted(by: { $0.key < $1.key }) {
                names[name] = inodes.count
                inodes.append(Inode(synced: bytes, current: bytes))
            }
            syncedNames = names
            nameChanges = []
            restart()
        }
    }
}

/// A write that the disk reported as done and did elsewhere.
package struct StrayWrite {
    struct Place: Hashable {
        var inode: Int
        var offset: Int
    }

    let meant: Place
    let found: Place
    /// Syncs of the log since, its own included, until the process ended.
    fileprivate(set) var syncs = 0
    fileprivate(set) var isOver = false

    /// Whether a later batch is certain to be on disk: then it is noticed that this one is missing.
    package var isFollowed: Bool { syncs >= 3 }
}

extension SimulatedStorage {
    /// The start has found out what became of the write that went astray.
    package func settleStray() {
        stray = nil
    }

    private func isSegment(_ inode: Int) -> Bool {
        names.contains { $0.value == inode && $0.key.hasSuffix(".wal") }
    }

    private func isLog(_ inode: Int) -> Bool {
        names.contains { $0.value == inode && $0.key.contains(".wal") }
    }

    /// Another place for a write: another segment, or sectors away in the same one.
    private func lead(
        _ count: Int,
        astray meant: StrayWrite.Place,
        using random: inout SeededRandom
    ) -> (inode: Int, offset: Int) {
        let segments = segmentNames.compactMap { names[$0] }
        let others = segments.filter { $0 != meant.inode }
        let inode = random.chance(1, in: 2) ? others.randomElement(using: &random) : nil
        let target = inode ?? meant.inode
        let room = max(1, (inodes[target].current.count - count) / 512)
        var offset = meant.offset
        if inode == nil || random.chance(1, in: 2) {
            offset = meant.offset % 512 + 512 * random.below(room)
        }
        guard target != meant.inode || offset != meant.offset else {
            return (target, meant.offset + 512)
        }
        return (target, offset)
    }
}
