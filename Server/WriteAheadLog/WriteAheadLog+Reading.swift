package import Model
import Raft

extension WriteAheadLog {
    /// The entries of `range` from its beginning, as many as `maxBytes` of records allow, at least
    /// one.
    ///
    /// Refused when the first one is not in the log or not committed to disk yet. Every record is
    /// verified again; the error `damaged` says that the disk has changed what was written.
    package func entries(
        in range: ClosedRange<LogIndex>,
        maxBytes: Int
    ) throws(WriteAheadLogError) -> [LogEntry] {
        guard !isEnded else { throw .ended }
        var entries: [LogEntry] = []
        var bytes = 0
        var scanner: (segment: UInt64, scanner: SegmentScanner<Disk>)?
        var index = range.lowerBound
        while index <= range.upperBound, let place = image.place(of: index), isOnDisk(place) {
            bytes += Int(place.recordBytes)
            guard entries.isEmpty || bytes <= maxBytes else { break }
            if scanner?.segment != place.segment {
                let segment = try segment(place.segment)
                scanner = (segment.number, self.scanner(of: segment, maxBytes: maxBytes))
            }
            guard let entry = try read(place, with: &scanner), entry.index == index else {
                let reason = "entry \(index.rawValue) is not what was written"
                throw damage(in: place, reason)
            }
            entries.append(entry)
            index = index.next
        }
        guard !entries.isEmpty else { throw .refused(.notInLog(range.lowerBound)) }
        return entries
    }

    private func isOnDisk(_ place: EntryPlace) -> Bool {
        let tail = segments[segments.count - 1]
        return place.segment < tail.number || Int(place.offset) < tail.end
    }

    private func segment(_ number: UInt64) throws(WriteAheadLogError) -> Segment {
        let first = segments[0].number
        precondition(number >= first, "an entry in segment \(number), which is deleted")
        return segments[Int(number - first)]
    }

    private func read(
        _ place: EntryPlace,
        with scanner: inout (segment: UInt64, scanner: SegmentScanner<Disk>)?
    ) throws(WriteAheadLogError) -> LogEntry? {
        let finding: SegmentScanner<Disk>.Finding?
        do {
            finding = try scanner?.scanner.record(at: Int(place.offset))
        } catch {
            throw .storage(error)
        }
        switch finding {
        case .record(let framed):
            guard case .entry(let entry) = framed.record else { return nil }
            return entry
        case .damaged(let reason):
            throw damage(in: place, reason)
        case .blank, .end, nil:
            return nil
        }
    }

    private func damage(in place: EntryPlace, _ reason: String) -> WriteAheadLogError {
        .damaged(
            LogDamage(
                file: SegmentName.of(place.segment),
                offset: Int(place.offset),
                reason: reason
            )
        )
    }

    fileprivate func scanner(of segment: Segment, maxBytes: Int) -> SegmentScanner<Disk> {
        SegmentScanner(
            disk,
            file: segment.file,
            seed: segment.seed,
            sizeBytes: segment.end,
            readBytes: max(512, min(limits.readBytes, maxBytes))
        )
    }
}

/// How far a scrub has come; the beginning is the default.
package struct ScrubCursor: Hashable, Sendable {
    var segment: UInt64 = 0
    var offset = 0

    package init() {}
}

extension WriteAheadLog {
    /// Verifies the next records on disk, about `maxBytes` of them, and returns where to go on.
    ///
    /// Nil when everything is verified. Throws `damaged` for what is no longer what was written;
    /// the log itself goes on, and the owner decides. The owner chooses when and how often.
    package func scrub(
        from cursor: ScrubCursor,
        maxBytes: Int
    ) throws(WriteAheadLogError) -> ScrubCursor? {
        guard !isEnded else { throw .ended }
        // Segments may have been deleted since.
        guard let at = segments.firstIndex(where: { $0.number >= cursor.segment }) else {
            return nil
        }
        let segment = segments[at]
        var offset = segment.number == cursor.segment ? cursor.offset : 0
        if offset < SegmentHeader.sizeBytes {
            try verifyHeader(of: segment)
            offset = SegmentHeader.sizeBytes
        }
        var scanner = scanner(of: segment, maxBytes: limits.readBytes)
        let stop = offset + max(1, maxBytes)
        while offset < min(segment.end, stop) {
            let finding: SegmentScanner<Disk>.Finding
            do {
                finding = try scanner.record(at: offset)
            } catch {
                throw .storage(error)
            }
            guard case .record(let framed) = finding else {
                let reason = if case .damaged(let why) = finding { why } else { "zeros" }
                let damage = LogDamage(file: segment.name, offset: offset, reason: reason)
                throw .damaged(damage)
            }
            offset = framed.end
        }
        var next = ScrubCursor()
        next.segment = offset < segment.end ? segment.number : segment.number + 1
        next.offset = offset < segment.end ? offset : 0
        return next.segment <= segments[segments.count - 1].number ? next : nil
    }

    private func verifyHeader(of segment: Segment) throws(WriteAheadLogError) {
        let bytes: [UInt8]
        do {
            bytes = try disk.read(segment.file, at: 0, count: SegmentHeader.sizeBytes)
        } catch {
            throw .storage(error)
        }
        do throws(HeaderProblem) {
            let header = try SegmentHeader.decode(bytes)
            guard header.segment == segment.number, header.seed == segment.seed else {
                throw HeaderProblem.damaged("the header is another one than at the start")
            }
        } catch {
            let reason = if case .damaged(let why) = error { why } else { "another version" }
            throw .damaged(LogDamage(file: segment.name, offset: 0, reason: reason))
        }
    }
}
