import Crypto

/// Takes an archive apart, piece by piece, and checks every part of it.
///
/// It hands on the content of `state.bin` as it comes: nobody may act on it before `finish`.
package final class ArchiveReader {
    /// Where in the tar archive the next byte belongs.
    private enum Position {
        case header
        /// In the content of an entry: what is left of it, and of the padding behind it.
        case content(Entry, left: Int)
        case padding(left: Int)
        /// Behind the first of the two empty blocks, or both.
        case end(blocks: Int)
    }

    private enum Entry: String {
        case metadata = "meta.json"
        case state = "state.bin"
        case sums = "SHA256SUMS"
    }

    private let limits: SnapshotLimits
    private let inflater: Inflater
    private var position = Position.header
    private var block: [UInt8] = []
    private var seen: [Entry] = []
    private var metadataBytes: [UInt8] = []
    private var sumsBytes: [UInt8] = []
    private var stateDigest = SHA256()
    private var file: MetadataFile?

    /// What the snapshot says about itself; nil until `meta.json` was read.
    package private(set) var metadata: SnapshotMetadata?

    package init(limits: SnapshotLimits = .init()) throws(SnapshotError) {
        self.limits = limits
        inflater = try Inflater(limits: limits)
    }

    /// `StateStore.carriedState` of the original; empty when Consul wrote the archive.
    var carriedState: [UInt8] { file?.own?.state ?? [] }

    /// Takes the next bytes of the archive; `handle` gets the content of `state.bin`.
    package func consume(
        _ bytes: UnsafeRawBufferPointer,
        _ handle: (UnsafeRawBufferPointer) throws(SnapshotError) -> Void
    ) throws(SnapshotError) {
        try inflater.consume(bytes) { (content) throws(SnapshotError) in
            try self.take(content, handle)
        }
    }

    /// Ends the archive: everything must have been there, and be what its checksum says.
    package func finish() throws(SnapshotError) -> SnapshotMetadata {
        try inflater.finish()
        guard case .end(let blocks) = position, blocks >= 2 else {
            throw .damaged(ArchiveDamage(.tar, "the archive has no end", isTruncation: true))
        }
        guard let metadata, seen.contains(.state), seen.contains(.sums) else {
            let wanted = [Entry.metadata, .state, .sums].filter { !seen.contains($0) }
            let names = wanted.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw .damaged(ArchiveDamage(.sums, "file missing for \(names)"))
        }
        guard let sums = ArchiveSums.parse(sumsBytes) else {
            throw .damaged(ArchiveDamage(.sums, "a line that is not a checksum"))
        }
        let expected = [
            Entry.metadata.rawValue: ArchiveSums.hex(SHA256.hash(data: metadataBytes)),
            Entry.state.rawValue: ArchiveSums.hex(stateDigest.finalize()),
        ]
        for name in expected.keys.sorted() where sums[name] != expected[name] {
            let what = sums[name] == nil ? "list missing hash for" : "hash check failed for"
            throw .damaged(ArchiveDamage(.sums, "\(what) \"\(name)\""))
        }
        guard sums.count == expected.count else {
            throw .damaged(ArchiveDamage(.sums, "checksums of files that are not there"))
        }
        return metadata
    }

    // MARK: Tar

    private func take(
        _ content: UnsafeRawBufferPointer,
        _ handle: (UnsafeRawBufferPointer) throws(SnapshotError) -> Void
    ) throws(SnapshotError) {
        var rest = content[...]
        while !rest.isEmpty {
            switch position {
            case .header, .end:
                let part = rest.prefix(TarFormat.blockBytes - block.count)
                block += part
                rest = rest.dropFirst(part.count)
                guard block.count == TarFormat.blockBytes else { continue }
                try readBlock()
                block.removeAll(keepingCapacity: true)
            case .content(let entry, let left):
                let part = rest.prefix(left)
                rest = rest.dropFirst(part.count)
                try read(UnsafeRawBufferPointer(rebasing: part), of: entry, handle)
                position = .content(entry, left: left - part.count)
                if part.count == left { try ended(entry) }
            case .padding(let left):
                let part = rest.prefix(left)
                rest = rest.dropFirst(part.count)
                guard part.allSatisfy({ $0 == 0 }) else {
                    throw .damaged(ArchiveDamage(.tar, "padding that is not empty"))
                }
                position = part.count == left ? .header : .padding(left: left - part.count)
            }
        }
    }

    private func readBlock() throws(SnapshotError) {
        switch (TarFormat.parse(block), position) {
        case (.end, .end(let blocks)): position = .end(blocks: min(blocks + 1, 2))
        case (.end, _): position = .end(blocks: 1)
        case (_, .end):
            throw .damaged(ArchiveDamage(.tar, "entries behind the end"))
        case (.broken(let reason), _):
            throw .damaged(ArchiveDamage(.tar, reason))
        case (.file(let name, let size), _):
            guard let entry = Entry(rawValue: name) else {
                let shown = name.unicodeScalars.prefix(40).map { $0.escaped(asASCII: true) }
                    .joined()
                throw .damaged(ArchiveDamage(.tar, "unexpected file \"\(shown)\" in snapshot"))
            }
            try begin(entry, size)
        }
    }

    private func begin(_ entry: Entry, _ size: Int) throws(SnapshotError) {
        guard !seen.contains(entry) else {
            throw .damaged(ArchiveDamage(.tar, "\(entry.rawValue) comes twice"))
        }
        seen.append(entry)
        let limit: Int
        switch entry {
        case .metadata: limit = limits.metadataBytes
        case .state: limit = limits.stateBytes
        case .sums: limit = limits.sumsBytes
        }
        guard size <= limit else {
            throw .limit("\(entry.rawValue) of \(size) bytes, more than the limit of \(limit)")
        }
        if entry == .state {
            guard let file else {
                throw .damaged(ArchiveDamage(.tar, "state.bin comes before meta.json"))
            }
            guard file.size == size else {
                throw .damaged(
                    ArchiveDamage(
                        .state,
                        "\"state.bin\" has \(size) bytes, and \(file.size) by \"meta.json\""
                    )
                )
            }
        }
        position = .content(entry, left: size)
        if size == 0 { try ended(entry) }
    }

    private func read(
        _ bytes: UnsafeRawBufferPointer,
        of entry: Entry,
        _ handle: (UnsafeRawBufferPointer) throws(SnapshotError) -> Void
    ) throws(SnapshotError) {
        switch entry {
        case .metadata: metadataBytes += bytes
        case .sums: sumsBytes += bytes
        case .state:
            stateDigest.update(bufferPointer: bytes)
            try handle(bytes)
        }
    }

    private func ended(_ entry: Entry) throws(SnapshotError) {
        let size: Int
        switch entry {
        case .metadata:
            size = metadataBytes.count
            let file = try MetadataFile(parsing: metadataBytes)
            metadata = try file.metadata()
            self.file = file
        case .state: size = file?.size ?? 0
        case .sums: size = sumsBytes.count
        }
        let padding = TarFormat.paddingBytes(after: size)
        position = padding == 0 ? .header : .padding(left: padding)
    }
}
