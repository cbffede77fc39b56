/// How much the log takes, and what happens at each limit.
package struct WriteAheadLogLimits: Hashable, Sendable {
    /// Length of a segment file in bytes, set aside when the file is made.
    ///
    /// A batch that does not fit into the rest of a segment starts the next one.
    package var segmentSizeBytes: Int
    /// Greatest payload of an entry in bytes; a larger one is refused.
    package var entryBytes: Int
    /// What one write carries at most, in bytes; more is split into several synced batches.
    package var batchBytes: Int
    /// Greatest number of segment files; the log refuses to grow further.
    package var segments: Int
    /// Greatest number of entries between compactions; each costs 24 bytes of memory.
    ///
    /// More are refused.
    package var entries: Int
    /// Free space below which `hasRoom` says no, in bytes.
    ///
    /// The log still writes into the reserve: a server low on space must be able to vote.
    package var reserveBytes: UInt64
    /// How much one read asks of the disk, in bytes; a greater record is read alone.
    package var readBytes: Int

    package init(
        segmentSizeBytes: Int = 64 << 20,
        entryBytes: Int = 16 << 20,
        batchBytes: Int = 24 << 20,
        segments: Int = 1024,
        entries: Int = 16 << 20,
        reserveBytes: UInt64 = 256 << 20,
        readBytes: Int = 1 << 20
    ) {
        let room = segmentSizeBytes - SegmentHeader.sizeBytes
        let greatestEntry = RecordHead.sizeBytes + EntryBody.headBytes + entryBytes + 8
        precondition(batchBytes <= room, "a batch of \(batchBytes) bytes in \(room)")
        precondition(greatestEntry <= batchBytes, "an entry of \(entryBytes) in \(batchBytes)")
        precondition(segmentSizeBytes <= Int(UInt32.max) && segmentSizeBytes % 8 == 0)
        precondition(segments >= 2 && readBytes >= 512)
        self.segmentSizeBytes = segmentSizeBytes
        self.entryBytes = entryBytes
        self.batchBytes = batchBytes
        self.segments = segments
        self.entries = entries
        self.reserveBytes = reserveBytes
        self.readBytes = readBytes
    }
}
