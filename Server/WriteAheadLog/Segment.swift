/// An open segment file, as far as it is written.
struct Segment: Hashable {
    var number: UInt64
    var file: StorageFile
    /// What stands for the header in each record's checksum.
    var seed: UInt32
    /// The end of the last record on disk.
    var end: Int
    /// Where the file ends, as it was set aside.
    var sizeBytes: Int

    var name: String { SegmentName.of(number) }
}

extension Segment {
    /// Makes a segment that holds nothing yet; when it returns the segment is on disk.
    ///
    /// It gets its name only when it is complete, so that a crash leaves nothing half made.
    static func create(
        _ header: SegmentHeader,
        on disk: some Storage
    ) throws(StorageFailure) -> Segment {
        let unfinished = SegmentName.unfinished(header.segment)
        let file = try disk.create(unfinished, sizeBytes: header.segmentSizeBytes)
        do {
            try disk.write(header.encoded(), to: file, at: 0)
            try disk.sync(file)
            try disk.rename(unfinished, to: SegmentName.of(header.segment))
            try disk.syncDirectory()
        } catch {
            disk.close(file)
            throw error
        }
        return Segment(
            number: header.segment,
            file: file,
            seed: header.seed,
            end: SegmentHeader.sizeBytes,
            sizeBytes: header.segmentSizeBytes
        )
    }
}
