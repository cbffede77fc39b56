package import Model
package import Raft

extension WriteAheadLog {
    /// Stages the next entry; its index must follow `last`, its term must not be lower.
    ///
    /// Refused are entries beyond the limits.
    package mutating func append(_ entry: LogEntry) throws(WriteAheadLogError) {
        guard entry.payload.count <= limits.entryBytes else {
            throw .refused(
                .entryTooLarge(bytes: entry.payload.count, limitBytes: limits.entryBytes)
            )
        }
        guard image.places.count < limits.entries, segments.count < limits.segments else {
            throw .refused(.full)
        }
        try stage(.entry(entry))
    }

    /// Stages term, vote and commit index; the term must not be lower than before.
    package mutating func save(_ state: DurableState) throws(WriteAheadLogError) {
        try stage(.state(state))
    }

    /// Stages that the entries after `index`, which must be in the log or its base, are no more.
    package mutating func truncate(after index: LogIndex) throws(WriteAheadLogError) {
        guard let term = image.term(at: index) else { throw .refused(.notInLog(index)) }
        try stage(.truncate(after: LogPosition(index: index, term: term)))
    }

    /// Stages that the entries up to `index`, which must be in the log, are no longer needed.
    ///
    /// Segments without needed entries are deleted by the `commit` that follows.
    package mutating func compact(through index: LogIndex) throws(WriteAheadLogError) {
        guard let term = image.term(at: index) else { throw .refused(.notInLog(index)) }
        try stage(.compact(through: LogPosition(index: index, term: term)))
        mayDropSegments = true
    }

    /// Stages that all entries are no more, and that the log goes on behind a snapshot.
    ///
    /// - Precondition: The snapshot is on disk and does not lie before `base`.
    package mutating func reset(to position: LogPosition) throws(WriteAheadLogError) {
        try stage(.reset(to: position))
        mayDropSegments = true
    }

    /// Puts everything staged on disk; when it returns, all of it may be acknowledged.
    package mutating func commit() throws(WriteAheadLogError) {
        guard !isEnded else { throw .ended }
        try flush()
        guard mayDropSegments else { return }
        mayDropSegments = false
        try dropSegments()
    }

    /// Names the cluster, which was not known before, in a new segment.
    package mutating func adopt(cluster: UInt128) throws(WriteAheadLogError) {
        guard !isEnded else { throw .ended }
        precondition(identity.cluster == 0 && cluster != 0, "a log that already has a cluster")
        identity.cluster = cluster
        try flush()
        try roll()
    }

    /// Ends the log in order: commits, and marks that nothing was left unwritten.
    package consuming func close() throws(WriteAheadLogError) {
        try stage(.closed)
        try commit()
    }

    /// Whether the disk has room for another segment above the reserve.
    ///
    /// When not, the owner takes no more proposals and gives leadership away.
    package func hasRoom() throws(WriteAheadLogError) -> Bool {
        do {
            let needed = limits.reserveBytes + UInt64(limits.segmentSizeBytes)
            return try disk.freeBytes() >= needed
        } catch {
            throw .storage(error)
        }
    }
}

extension WriteAheadLog {
    /// Adds a record behind the staged ones, in the segment where it will lie.
    mutating func stage(_ record: LogRecord) throws(WriteAheadLogError) {
        guard !isEnded else { throw .ended }
        if let objection = image.objection(to: record) { preconditionFailure(objection) }
        let start = staged.count
        record.encode(
            into: &staged,
            ordinal: UInt32(stagedRecords.count),
            batch: nextBatch
        )
        let tail = segments[segments.count - 1]
        if staged.count > limits.batchBytes || tail.end + staged.count > tail.sizeBytes, start > 0 {
            // Starts a batch of its own, behind a full one.
            staged.removeLast(staged.count - start)
            try flush()
            return try stage(record)
        }
        if tail.end + staged.count > tail.sizeBytes {
            staged.removeAll()
            try roll()
            return try stage(record)
        }
        stagedRecords.append(start)
        image.apply(
            record,
            segment: tail.number,
            offset: tail.end + start,
            recordBytes: staged.count - start
        )
    }

    /// Writes the staged records as one batch and waits until they are on disk.
    mutating func flush() throws(WriteAheadLogError) {
        guard let last = stagedRecords.last else { return }
        let tail = segments[segments.count - 1]
        staged[last + 9] = RecordHead.lastOfBatch
        for (place, start) in stagedRecords.enumerated() {
            let end = place + 1 < stagedRecords.count ? stagedRecords[place + 1] : staged.count
            let checksum = RecordHead.checksum(
                of: staged[start..<end],
                at: tail.end + start,
                seed: tail.seed
            )
            staged.storeNumber(checksum, at: start)
        }
        do {
            try disk.write(staged, to: tail.file, at: tail.end)
            try disk.sync(tail.file)
        } catch {
            throw end(with: error)
        }
        segments[segments.count - 1].end += staged.count
        nextBatch += 1
        staged.removeAll(keepingCapacity: staged.count <= 1 << 20)
        stagedRecords.removeAll(keepingCapacity: true)
    }

    /// Starts a new segment, in which the state so far stands at the beginning.
    ///
    /// - Precondition: Nothing is staged.
    mutating func roll() throws(WriteAheadLogError) {
        precondition(staged.isEmpty && stagedRecords.isEmpty, "staged records at a new segment")
        let tail = segments[segments.count - 1]
        let header = SegmentHeader(
            identity: identity,
            segment: tail.number + 1,
            segmentSizeBytes: limits.segmentSizeBytes,
            firstBatch: nextBatch,
            shape: image.shape
        )
        do {
            segments.append(try Segment.create(header, on: disk))
            // What was set aside and not used goes back to the disk.
            if tail.end < tail.sizeBytes {
                try disk.truncate(tail.file, toBytes: tail.end)
                segments[segments.count - 2].sizeBytes = tail.end
            }
        } catch {
            throw end(with: error)
        }
    }

    /// Deletes the oldest segments, as far as none of their entries is in the log.
    ///
    /// - Precondition: Nothing is staged: the record that made them needless is on disk.
    private mutating func dropSegments() throws(WriteAheadLogError) {
        let tail = segments[segments.count - 1].number
        let oldest = min(image.oldestSegmentNeeded ?? tail, tail)
        guard segments[0].number < oldest else { return }
        do {
            while segments[0].number < oldest {
                let dropped = segments.removeFirst()
                disk.close(dropped.file)
                try disk.delete(dropped.name)
            }
            try disk.syncDirectory()
        } catch {
            throw end(with: error)
        }
    }

    /// Marks the log as over; nothing reaches the disk any more.
    private mutating func end(with failure: StorageFailure) -> WriteAheadLogError {
        isEnded = true
        return .storage(failure)
    }
}
