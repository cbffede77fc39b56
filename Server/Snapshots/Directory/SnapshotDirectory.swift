#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif
package import StateStore

/// The snapshots of one server on its disk: the newest two, each whole or not there at all.
///
/// ```
/// 3-1200-1795231528758.snap      a snapshot
/// 3-1300-1795231600000.saving    one being written; gone at the next start
/// 3-1400-1795231700000.partial   one being received; kept, so that a transfer can go on
/// ```
/// Every call blocks. After a call has thrown `SnapshotError.storage`, the process must end: what
/// the disk holds is found out at the next start.
package final class SnapshotDirectory: Sendable {
    /// How many snapshots are kept.
    package static let kept = 2

    package let path: String
    package let limits: SnapshotLimits
    private let directory: Int32

    /// Opens the directory, made when it is not there, and clears what a crash left behind.
    package init(path: String, limits: SnapshotLimits = .init()) throws(SnapshotError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw .storage(FileCalls.failure("create", path))
        }
        let descriptor = FileCalls.retrying {
            openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard descriptor >= 0 else { throw .storage(FileCalls.failure("open", path)) }
        self.path = path
        self.limits = limits
        directory = descriptor
        try clear()
    }

    deinit {
        close(directory)
    }

    // MARK: Saving

    /// Writes a snapshot to the disk, for good, and drops those that are too many.
    @discardableResult
    package func save(
        store: StateStore,
        metadata: SnapshotMetadata
    ) throws(SnapshotError) -> SnapshotName {
        let name = SnapshotName(metadata)
        let file = try openFile(name.savingFile, O_RDWR | O_CREAT | O_TRUNC, "create")
        defer { close(file) }
        var offset = 0
        do {
            let writer = SnapshotWriter(limits: limits, spoolDirectory: path)
            try writer.write(store: store, metadata: metadata) { piece in
                try FileCalls.writeAll(piece, to: file, at: offset, name: full(name.savingFile))
                offset += piece.count
            }
            try FileCalls.sync(file, name: full(name.savingFile))
        } catch let error as SnapshotError {
            // Best effort: what cannot be removed now goes at the next start.
            _ = unlinkat(directory, name.savingFile, 0)
            throw error
        } catch {
            preconditionFailure("an error of another kind: \(error)")
        }
        try keep(name, from: name.savingFile)
        return name
    }

    // MARK: Loading

    /// What a stored snapshot held.
    package struct Loaded: Sendable {
        package let name: SnapshotName
        package let metadata: SnapshotMetadata
        package let store: StateStore
    }

    /// The names of the snapshots, newest first; their content is not looked at.
    package func list() throws(SnapshotError) -> [SnapshotName] {
        try files().compactMap { SnapshotName.parse($0, suffix: SnapshotName.suffix) }
            .sorted(by: >)
    }

    /// The newest snapshot, read and verified; nil when there is none.
    ///
    /// A newest one that is damaged is an error, not passed over: the log may not reach back to
    /// the one before it.
    package func newest() throws(SnapshotError) -> Loaded? {
        guard let name = try list().first else { return nil }
        return try load(name)
    }

    /// Reads and verifies one snapshot.
    package func load(_ name: SnapshotName) throws(SnapshotError) -> Loaded {
        try load(name, from: name.file)
    }

    /// Opens a snapshot to be sent; it can be read to its end even when it is dropped meanwhile.
    package func open(_ name: SnapshotName) throws(SnapshotError) -> SnapshotFile {
        let file = try openFile(name.file, O_RDONLY, "open")
        return try SnapshotFile(file, name: name, path: full(name.file))
    }

    private func load(_ name: SnapshotName, from file: String) throws(SnapshotError) -> Loaded {
        let descriptor = try openFile(file, O_RDONLY, "open")
        let source = try SnapshotFile(descriptor, name: name, path: full(file))
        do throws(SnapshotError) {
            let reader = try SnapshotReader(limits: limits)
            var offset = 0
            while offset < source.sizeBytes {
                let piece = try source.read(at: offset, count: 1 << 18)
                try reader.consume(piece)
                offset += piece.count
            }
            let (metadata, store) = try reader.finish()
            guard SnapshotName(metadata) == name else {
                throw .damaged(ArchiveDamage(.metadata, "it is snapshot \(SnapshotName(metadata))"))
            }
            return Loaded(name: name, metadata: metadata, store: store)
        } catch {
            throw error.about(full(file))
        }
    }

    // MARK: Receiving

    /// Begins to receive a snapshot from another server, or goes on where it stopped.
    ///
    /// `sizeBytes` is the archive's length, as the sender says.
    package func receive(
        _ name: SnapshotName,
        sizeBytes: Int
    ) throws(SnapshotError) -> SnapshotReceiver {
        guard sizeBytes > 0, sizeBytes <= limits.archiveBytes else {
            throw .limit("an archive of \(sizeBytes) bytes, of at most \(limits.archiveBytes)")
        }
        let file = try openFile(name.partialFile, O_RDWR | O_CREAT, "create")
        let receiver = try SnapshotReceiver(
            file,
            name: name,
            path: full(name.partialFile),
            sizeBytes: sizeBytes
        )
        try dropPartials(keeping: name)
        return receiver
    }

    /// Verifies what was received, and keeps it as a snapshot of this server.
    ///
    /// What turns out to be damaged is removed, so that the next transfer starts afresh.
    package func install(_ receiver: SnapshotReceiver) throws(SnapshotError) -> Loaded {
        try receiver.seal()
        let loaded: Loaded
        do throws(SnapshotError) {
            loaded = try load(receiver.name, from: receiver.name.partialFile)
        } catch {
            if case .storage = error { throw error }
            guard unlinkat(directory, receiver.name.partialFile, 0) == 0 else {
                throw .storage(FileCalls.failure("remove", full(receiver.name.partialFile)))
            }
            throw error
        }
        try keep(receiver.name, from: receiver.name.partialFile)
        return loaded
    }

    // MARK: Names

    private func full(_ file: String) -> String { path + "/" + file }

    private func openFile(
        _ file: String,
        _ flags: Int32,
        _ verb: String
    ) throws(SnapshotError) -> Int32 {
        let descriptor = FileCalls.retrying {
            openat(directory, file, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        }
        guard descriptor >= 0 else { throw .storage(FileCalls.failure(verb, full(file))) }
        return descriptor
    }

    /// Gives a synced file its name, makes that last, and drops what is too old.
    private func keep(_ name: SnapshotName, from file: String) throws(SnapshotError) {
        guard renameat(directory, file, directory, name.file) == 0 else {
            throw .storage(FileCalls.failure("rename", full(file)))
        }
        try FileCalls.sync(directory, name: path)
        for old in try list().dropFirst(Self.kept) where old != name {
            try remove(old.file)
        }
    }

    private func clear() throws(SnapshotError) {
        for file in try files() {
            let saving = SnapshotName.parse(file, suffix: SnapshotName.savingSuffix)
            if saving != nil { try remove(file) }
        }
        try dropPartials(keeping: nil)
        for old in try list().dropFirst(Self.kept) { try remove(old.file) }
        try FileCalls.sync(directory, name: path)
    }

    /// Keeps the newest partial snapshots that are still worth something.
    private func dropPartials(keeping wanted: SnapshotName?) throws(SnapshotError) {
        let newest = try list().first
        let partials = try files().compactMap {
            SnapshotName.parse($0, suffix: SnapshotName.partialSuffix)
        }
        var left = limits.partialFiles - (wanted == nil ? 0 : 1)
        for partial in partials.sorted(by: >) where partial != wanted {
            let isOld = newest.map { partial <= $0 } ?? false
            left -= 1
            if isOld || left < 0 { try remove(partial.partialFile) }
        }
    }

    private func remove(_ file: String) throws(SnapshotError) {
        guard unlinkat(directory, file, 0) == 0 else {
            throw .storage(FileCalls.failure("remove", full(file)))
        }
    }

    private func files() throws(SnapshotError) -> [String] {
        let copy = FileCalls.retrying {
            openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard copy >= 0 else { throw .storage(FileCalls.failure("list", path)) }
        guard let stream = fdopendir(copy) else {
            let failure = FileCalls.failure("list", path)
            close(copy)
            throw .storage(failure)
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let found = readdir(stream) {
            let name = withUnsafeBytes(of: found.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.append(name)
            errno = 0
        }
        guard errno == 0 else { throw .storage(FileCalls.failure("list", path)) }
        return names
    }
}

extension SnapshotError {
    /// The same of a stored file, with what can be done about it.
    fileprivate func about(_ file: String) -> SnapshotError {
        switch self {
        case .damaged, .state: .damagedFile(file: file, reason: message)
        default: self
        }
    }
}
