import Model
package import Raft

/// One line of what a log directory holds, for people.
package enum DumpItem: Hashable, Sendable {
    case segment(DumpSegment)
    case record(LogRecord, offset: Int, batch: UInt64, isLastOfBatch: Bool)
    /// Bytes that do not verify; in the last segment they may be a batch that a crash cut short.
    case damage(LogDamage)

    /// The item as text, without a line break.
    package var line: String {
        switch self {
        case .segment(let segment): segment.line
        case .record(let record, let offset, let batch, let isLast):
            "\(offset) batch \(batch)\(isLast ? " end" : ""): \(record.line)"
        case .damage(let damage):
            "\(damage.offset) damaged: \(damage.reason)"
        }
    }
}

/// What a segment's header says.
package struct DumpSegment: Hashable, Sendable {
    package var file: String
    package var identity: LogIdentity
    package var firstBatch: UInt64
    package var state: DurableState
    package var base: LogPosition
    package var last: LogPosition
    package var opened: UInt64

    fileprivate var line: String {
        "\(file): cluster \(String(identity.cluster, radix: 16)), server "
            + "\(String(identity.server.rawValue, radix: 16)), from batch \(firstBatch), "
            + "entries \(base.index.rawValue + 1) to \(last.index.rawValue), "
            + "opened \(opened) times, \(LogRecord.state(state).line)"
    }
}

extension LogRecord {
    /// The record as text; of a payload only the length.
    package var line: String {
        switch self {
        case .entry(let entry):
            "entry \(entry.index.rawValue) term \(entry.term.rawValue) type \(entry.type), "
                + "\(entry.payload.count) bytes"
        case .state(let state):
            "term \(state.term.rawValue) vote "
                + (state.votedFor.map { String($0.rawValue, radix: 16) } ?? "none")
                + " commit \(state.commit.rawValue)"
        case .truncate(let position): "truncate after \(position.line)"
        case .compact(let position): "compact through \(position.line)"
        case .reset(let position): "reset to \(position.line)"
        case .opened(let count, let number):
            "opened, time \(count), as \(String(number, radix: 16))"
        case .closed: "closed"
        }
    }
}

extension LogPosition {
    fileprivate var line: String { "\(index.rawValue) term \(term.rawValue)" }
}

/// Reads a log without changing it, beyond damage too: for people who look at one.
///
/// A log that a server is writing can be read; its end may then look damaged.
package struct DumpReader<Disk: Storage> {
    private let disk: Disk
    private let limits: WriteAheadLogLimits

    package init(_ disk: Disk, limits: WriteAheadLogLimits = .init()) {
        self.disk = disk
        self.limits = limits
    }

    /// Hands on every segment and its records, oldest first.
    ///
    /// `visit` is given each item and returns false to end the reading.
    package func read(_ visit: (DumpItem) -> Bool) throws(StorageFailure) {
        for number in try disk.list().compactMap(SegmentName.number).sorted() {
            let file = try disk.open(SegmentName.of(number), forWriting: false)
            defer { disk.close(file) }
            guard try read(file, number: number, visit) else { return }
        }
    }

    private func read(
        _ file: StorageFile,
        number: UInt64,
        _ visit: (DumpItem) -> Bool
    ) throws(StorageFailure) -> Bool {
        let name = SegmentName.of(number)
        let size = try disk.size(of: file)
        let bytes = try disk.read(file, at: 0, count: SegmentHeader.greatestSizeBytes)
        let header: SegmentHeader
        do throws(HeaderProblem) {
            header = try SegmentHeader.decode(bytes)
        } catch {
            let reason =
                switch error {
                case .damaged(let reason): reason
                case .version(let found): "format version \(found) is not known"
                }
            return visit(.damage(LogDamage(file: name, offset: 0, reason: reason)))
        }
        let segment = DumpSegment(
            file: name,
            identity: header.identity,
            firstBatch: header.firstBatch,
            state: header.shape.state,
            base: header.shape.base,
            last: header.shape.last,
            opened: header.shape.openings.count
        )
        guard visit(.segment(segment)) else { return false }
        let scanner = SegmentScanner(
            disk,
            file: file,
            seed: header.seed,
            sizeBytes: min(size, header.segmentSizeBytes),
            readBytes: limits.readBytes
        )
        return try readRecords(name, scanner, firstBatch: header.firstBatch, visit)
    }

    private func readRecords(
        _ name: String,
        _ source: SegmentScanner<Disk>,
        firstBatch: UInt64,
        _ visit: (DumpItem) -> Bool
    ) throws(StorageFailure) -> Bool {
        var scanner = source
        var offset = SegmentHeader.sizeBytes
        while true {
            let reason: String
            switch try scanner.record(at: offset) {
            case .record(let found):
                let isLast = found.head.flags & RecordHead.lastOfBatch != 0
                let item = DumpItem.record(
                    found.record,
                    offset: offset,
                    batch: found.head.batch,
                    isLastOfBatch: isLast
                )
                guard visit(item) else { return false }
                offset = found.end
                continue
            case .end: return true
            case .blank: reason = "zeros, though something follows"
            case .damaged(let why): reason = why
            }
            let rest = try scanner.rest(from: offset, after: 0)
            guard rest.endOfBytes != nil || rest.laterRecord != nil else { return true }
            let damage = LogDamage(file: name, offset: offset, reason: reason)
            guard visit(.damage(damage)) else { return false }
            guard let next = rest.laterRecord else { return true }
            offset = next
        }
    }
}
