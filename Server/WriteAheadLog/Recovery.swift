import Model
import Raft

/// What was found when the log was opened.
package struct RecoveryReport: Hashable, Sendable {
    /// Whether the log was closed in order; always so for a new one.
    package var wasClosed = true
    package var isNew = false
    /// The file and offset where an unfinished batch began that was never acknowledged and was
    /// removed; nil when there was none.
    package var removedTail: LogDamage?
    package var segments = 0
    package var batches: UInt64 = 0
}

/// Reads a log back from disk, and decides between a torn tail and damage.
///
/// A batch is written only when the one before it is synced, and a segment is made only when all
/// before it is synced. So what does not verify was never acknowledged if it lies in the last
/// segment and no record of a later batch follows it: then it is removed. Anywhere else it was
/// acknowledged: then nothing is changed and the start is refused.
///
/// Not told apart: a batch torn by a crash, and damage to the very last batch after it was
/// acknowledged, while nothing was written behind it. `close` and the next start write behind it.
/// - Source: "Protocol-Aware Recovery for Consensus-Based Storage", FAST 2018 §3.3.
struct Recovery<Disk: Storage> {
    let disk: Disk
    var identity: LogIdentity
    let limits: WriteAheadLogLimits
    private(set) var report = RecoveryReport()
    private(set) var segments: [Segment] = []
    private(set) var nextBatch: UInt64 = 1
    /// The cluster that the last segment names; nil when there is no segment.
    private(set) var tailCluster: UInt128?

    init(_ disk: Disk, identity: LogIdentity, limits: WriteAheadLogLimits) {
        self.disk = disk
        self.identity = identity
        self.limits = limits
    }

    /// Reads the log; nil when there is none.
    ///
    /// What it opened stays in `segments`, whether it throws or not.
    mutating func run() throws(WriteAheadLogError) -> LogImage? {
        let names = try reading { () throws(StorageFailure) in try disk.list() }
        let numbers = names.compactMap(SegmentName.number).sorted()
        let run = Self.lastRun(of: numbers)
        var image: LogImage?
        for number in run {
            image = try replay(number, isTail: number == run.last, onto: image)
        }
        if let image, let missing = image.firstMissing {
            throw .damaged(
                LogDamage(
                    file: SegmentName.of(run[0]),
                    offset: 0,
                    reason: "entry \(missing.rawValue) was in an earlier file, which is gone"
                )
            )
        }
        // Only now, when nothing is refused any more, may the directory change.
        let unneeded = numbers.dropLast(run.count).map(SegmentName.of)
        let unfinished = names.filter { $0.hasSuffix(SegmentName.unfinished) }
        for name in unneeded + unfinished {
            try reading { () throws(StorageFailure) in try disk.delete(name) }
        }
        try settle()
        report.isNew = image == nil
        report.wasClosed = image?.isClosed ?? true
        report.segments = run.count
        return image
    }

    /// Makes the first segment of a new log.
    mutating func begin() throws(WriteAheadLogError) -> LogImage {
        let header = SegmentHeader(
            identity: identity,
            segment: 1,
            segmentSizeBytes: limits.segmentSizeBytes,
            firstBatch: nextBatch,
            shape: LogShape()
        )
        let segment = try reading { () throws(StorageFailure) in
            try Segment.create(header, on: disk)
        }
        segments = [segment]
        return LogImage()
    }

    /// The greatest numbers without a gap; what lies before a gap was being deleted.
    private static func lastRun(of numbers: [UInt64]) -> ArraySlice<UInt64> {
        var start = max(0, numbers.count - 1)
        while start > 0, numbers[start - 1] + 1 == numbers[start] { start -= 1 }
        return ArraySlice(Array(numbers[start...]))
    }

    /// Removes a torn tail and syncs what was read, so that it will still be there after the next
    /// crash.
    private func settle() throws(WriteAheadLogError) {
        guard let tail = segments.last else { return }
        if let torn = report.removedTail {
            let scanner = scanner(of: tail)
            try reading { () throws(StorageFailure) in
                var scanner = scanner
                let rest = try scanner.rest(from: torn.offset, after: .max)
                var offset = torn.offset
                while let end = rest.endOfBytes, offset < end {
                    let count = min(limits.readBytes, end - offset)
                    try disk.write([UInt8](repeating: 0, count: count), to: tail.file, at: offset)
                    offset += count
                }
            }
        }
        try reading { () throws(StorageFailure) in
            try disk.sync(tail.file)
            try disk.syncDirectory()
        }
    }

    private func scanner(of segment: Segment) -> SegmentScanner<Disk> {
        SegmentScanner(
            disk,
            file: segment.file,
            seed: segment.seed,
            sizeBytes: segment.sizeBytes,
            readBytes: limits.readBytes
        )
    }

    private func reading<Value>(
        _ call: () throws(StorageFailure) -> Value
    ) throws(WriteAheadLogError) -> Value {
        do {
            return try call()
        } catch {
            throw .storage(error)
        }
    }
}

extension Recovery {
    /// Takes in one segment behind those before it.
    private mutating func replay(
        _ number: UInt64,
        isTail: Bool,
        onto earlier: LogImage?
    ) throws(WriteAheadLogError) -> LogImage {
        let name = SegmentName.of(number)
        let header = try open(number, isTail: isTail)
        let image: LogImage
        if let earlier {
            guard header.firstBatch == nextBatch, header.shape == earlier.shape else {
                throw .damaged(
                    LogDamage(
                        file: SegmentName.of(number - 1),
                        offset: segments[segments.count - 2].end,
                        reason: "it ends before batch \(nextBatch), but \(name) begins with batch "
                            + "\(header.firstBatch) and another state: one of them is old"
                    )
                )
            }
            image = earlier
        } else {
            guard let start = LogImage(header.shape, limit: limits.entries) else {
                let reason = "the header claims more than \(limits.entries) entries"
                throw .damaged(LogDamage(file: name, offset: 0, reason: reason))
            }
            image = start
            nextBatch = header.firstBatch
        }
        return try replayRecords(isTail: isTail, onto: image)
    }

    /// Opens a segment and checks whose it is.
    private mutating func open(
        _ number: UInt64,
        isTail: Bool
    ) throws(WriteAheadLogError) -> SegmentHeader {
        let name = SegmentName.of(number)
        let file = try reading { () throws(StorageFailure) in
            try disk.open(name, forWriting: true)
        }
        segments.append(Segment(number: number, file: file, seed: 0, end: 0, sizeBytes: 0))
        let (bytes, size) = try reading { () throws(StorageFailure) in
            let most = SegmentHeader.greatestSizeBytes
            return (try disk.read(file, at: 0, count: most), try disk.size(of: file))
        }
        let header: SegmentHeader
        do {
            header = try SegmentHeader.decode(bytes)
        } catch {
            throw Self.error(of: error, in: name)
        }
        try check(header, number: number, sizeBytes: size, isTail: isTail)
        // A sealed segment may have been cut off behind its last record.
        segments[segments.count - 1] = Segment(
            number: number,
            file: file,
            seed: header.seed,
            end: SegmentHeader.sizeBytes,
            sizeBytes: min(size, header.segmentSizeBytes)
        )
        return header
    }

    private static func error(of problem: HeaderProblem, in name: String) -> WriteAheadLogError {
        switch problem {
        case .version(let found): .otherVersion(file: name, found: found)
        case .damaged(let reason): .damaged(LogDamage(file: name, offset: 0, reason: reason))
        }
    }

    private mutating func check(
        _ header: SegmentHeader,
        number: UInt64,
        sizeBytes: Int,
        isTail: Bool
    ) throws(WriteAheadLogError) {
        let name = SegmentName.of(number)
        let found = header.identity
        let sameCluster = [0, identity.cluster].contains(found.cluster) || identity.cluster == 0
        guard found.server == identity.server, sameCluster else {
            throw .foreign(file: name, expected: identity, found: found)
        }
        if identity.cluster == 0 { identity.cluster = found.cluster }
        tailCluster = found.cluster
        guard header.segment == number else {
            let reason = "it is segment \(header.segment) under the name of another"
            throw .damaged(LogDamage(file: name, offset: 48, reason: reason))
        }
        guard !isTail || sizeBytes >= header.segmentSizeBytes else {
            let reason = "the file ends here, but was \(header.segmentSizeBytes) bytes long"
            throw .damaged(LogDamage(file: name, offset: sizeBytes, reason: reason))
        }
    }

    private mutating func replayRecords(
        isTail: Bool,
        onto earlier: LogImage
    ) throws(WriteAheadLogError) -> LogImage {
        var image = earlier
        let segment = segments[segments.count - 1]
        var scanner = scanner(of: segment)
        var offset = SegmentHeader.sizeBytes
        var batch: [FramedRecord] = []
        while true {
            let finding = try next(&scanner, at: offset)
            guard case .record(let found) = finding, found.head.batch == nextBatch,
                found.head.ordinal == batch.count
            else {
                segments[segments.count - 1].end = batch.first?.offset ?? offset
                try judge(finding, at: offset, scanner: &scanner, isTail: isTail, batch: batch)
                return image
            }
            batch.append(found)
            offset = found.end
            guard found.head.flags & RecordHead.lastOfBatch != 0 else { continue }
            for framed in batch {
                if let objection = image.objection(to: framed.record) {
                    throw .damaged(damage(in: segment, at: framed.offset, objection))
                }
                image.apply(
                    framed.record,
                    segment: segment.number,
                    offset: framed.offset,
                    recordBytes: framed.head.recordBytes
                )
            }
            batch.removeAll(keepingCapacity: true)
            nextBatch += 1
            report.batches += 1
        }
    }

    private func next(
        _ scanner: inout SegmentScanner<Disk>,
        at offset: Int
    ) throws(WriteAheadLogError) -> SegmentScanner<Disk>.Finding {
        do {
            return try scanner.record(at: offset)
        } catch {
            throw .storage(error)
        }
    }

    /// Decides what the end of a segment's valid records means.
    private mutating func judge(
        _ finding: SegmentScanner<Disk>.Finding,
        at offset: Int,
        scanner: inout SegmentScanner<Disk>,
        isTail: Bool,
        batch: [FramedRecord]
    ) throws(WriteAheadLogError) {
        let segment = segments[segments.count - 1]
        let reason =
            switch finding {
            case .record(let found):
                "a record of batch \(found.head.batch) in place of batch \(nextBatch)"
            case .blank: "zeros in place of a record"
            case .end: "the segment ends within a batch"
            case .damaged(let reason): reason
            }
        guard isTail else {
            if case .damaged = finding {} else if batch.isEmpty, !finding.isRecord { return }
            let why = reason + ", though \(SegmentName.of(segment.number + 1)) was begun after it"
            throw .damaged(damage(in: segment, at: offset, why))
        }
        let rest: SegmentScanner<Disk>.Rest
        do {
            rest = try scanner.rest(from: offset, after: nextBatch)
        } catch {
            throw .storage(error)
        }
        if let later = rest.laterRecord {
            let why = reason + ", though a later batch was written at offset \(later)"
            throw .damaged(damage(in: segment, at: offset, why))
        }
        guard rest.endOfBytes != nil || !batch.isEmpty else { return }
        report.removedTail = damage(in: segment, at: segment.end, reason)
    }

    private func damage(in segment: Segment, at offset: Int, _ reason: String) -> LogDamage {
        LogDamage(file: segment.name, offset: offset, reason: reason)
    }
}

extension SegmentScanner.Finding {
    fileprivate var isRecord: Bool {
        if case .record = self { true } else { false }
    }
}
