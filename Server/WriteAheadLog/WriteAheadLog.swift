package import Model
package import Raft

/// A server's log and state on disk, in segments; the changes lie there in the order they came.
///
/// Changes are staged by `append`, `save`, `truncate`, `compact` and `reset`, and are on disk when
/// `commit` returns: one write and one sync for all of them. Nothing staged may be acknowledged
/// before. A crash loses at most what was staged since the last `commit`, or keeps the beginning of
/// it. Every call blocks; one owner makes them all, on a thread that may wait for the disk.
///
/// After an error other than `refused` the log has ended and its owner must end the process: what
/// the disk holds is known again only when the log is opened anew.
package struct WriteAheadLog<Disk: Storage>: ~Copyable {
    package let disk: Disk
    package let limits: WriteAheadLogLimits
    /// To whom the log belongs; the cluster is 0 as long as it is not known.
    package internal(set) var identity: LogIdentity
    /// What was found at the start.
    package let report: RecoveryReport
    /// Invariant: with everything staged.
    var image: LogImage
    /// Invariant: not empty, oldest first; the last one is written to.
    var segments: [Segment]
    var isEnded = false
    var nextBatch: UInt64
    /// Invariant: encoded for the place behind the last segment's end, but without checksums.
    var staged: [UInt8] = []
    /// Where each staged record begins within `staged`.
    var stagedRecords: [Int] = []
    var mayDropSegments = true

    /// Opens the log in a directory, or makes one where there is none.
    ///
    /// A log of another owner, of a later version, or with damage to what was acknowledged is
    /// refused and left as it is.
    ///
    /// - Parameters:
    ///   - disk: The directory, exclusively this log's.
    ///   - identity: Whose log it must be.
    ///   - limits: Sizes.
    ///   - number: What no other opening of any log is called; at random unless a test says.
    /// - Returns: The log, with this opening on disk.
    /// - Throws: For damage and foreign logs, and when the disk fails.
    package static func open(
        _ disk: Disk,
        identity: LogIdentity,
        limits: WriteAheadLogLimits = .init(),
        number: UInt128 = UInt128.random(in: 1...UInt128.max)
    ) throws(WriteAheadLogError) -> WriteAheadLog<Disk> {
        var recovery = Recovery(disk, identity: identity, limits: limits)
        let image: LogImage
        do throws(WriteAheadLogError) {
            if let found = try recovery.run() {
                image = found
            } else {
                image = try recovery.begin()
            }
        } catch {
            for segment in recovery.segments { disk.close(segment.file) }
            throw error
        }
        var log = WriteAheadLog(recovery, image: image)
        if let cluster = recovery.tailCluster, cluster != log.identity.cluster { try log.roll() }
        try log.stage(.opened(count: log.openings.count + 1, number: number))
        try log.commit()
        return log
    }

    private init(_ recovery: Recovery<Disk>, image: LogImage) {
        disk = recovery.disk
        limits = recovery.limits
        identity = recovery.identity
        report = recovery.report
        segments = recovery.segments
        nextBatch = recovery.nextBatch
        self.image = image
    }

    /// Term, vote and commit index, with what is staged.
    package var state: DurableState { image.shape.state }
    /// The last entry that is gone from the log; the first one in it follows.
    package var base: LogPosition { image.shape.base }
    /// The last entry, with what is staged.
    package var last: LogPosition { image.shape.last }
    /// How often this log was opened, this time included, and the numbers that it drew.
    ///
    /// By them a peer knows a server that runs on an old disk image.
    package var openings: Openings { image.shape.openings }
    /// The length of all segment files in bytes.
    package var sizeBytes: Int { segments.reduce(0) { $0 + $1.sizeBytes } }
    /// What is staged and not yet on disk, in bytes.
    package var stagedBytes: Int { staged.count }

    /// The term of an entry, or of the base; nil when it is not in the log.
    package func term(at index: LogIndex) -> Term? {
        image.term(at: index)
    }

    deinit {
        for segment in segments { disk.close(segment.file) }
    }
}

extension WriteAheadLog: Sendable where Disk: Sendable {}
