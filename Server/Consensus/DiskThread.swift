import DurableLog
import Model
import NIOConcurrencyHelpers
import NIOPosix
import Raft
import WriteAheadLog

/// What a log held when it was opened.
struct OpenedLog: Sendable {
    let state: RecoveredState
    /// The cluster it belongs to; 0 for none yet.
    let cluster: UInt128
    /// What it remembers of other servers.
    let marks: [NodeID: ServerMark]
}

/// The thread that writes the log: everything that came while one sync ran is in the next.
///
/// Jobs are done in the order given; an error ends the process, because only a restart finds out
/// what the disk holds.
final class DiskThread: Sendable {
    typealias Log = DurableLog<PosixStorage>

    /// What the thread is told to do.
    enum Job: Sendable {
        /// Put on disk the writes of a turn that ended with this commit index.
        ///
        /// `done` is called when they and everything before them are there.
        case write([LogWrite], commit: LogIndex, done: @Sendable () -> Void)
        /// The first entry of a new cluster.
        case bootstrap(cluster: UInt128, ClusterConfiguration)
        /// As many entries from the beginning of a range as the bytes allow, at least one; none
        /// when the first is not in the log.
        case read(ClosedRange<LogIndex>, maxBytes: Int, done: @Sendable ([Entry]) -> Void)
        case adopt(cluster: UInt128, done: @Sendable () -> Void)
        /// Keep what was seen of other servers.
        case remember([NodeID: ServerMark], done: @Sendable () -> Void)
        /// Verifies the next piece of the log, and says whether the disk has room for more.
        case check(scrubBytes: Int, done: @Sendable (_ hasRoom: Bool) -> Void)
        case close(commit: LogIndex, done: @Sendable () -> Void)
    }

    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let jobs = JobList()
    /// Held while `jobs` is looked at; its value is whether there are any.
    private let hasJobs = ConditionLock(value: false)
    /// Says what went wrong and ends the process.
    private let fail: @Sendable (String) -> Never

    init(fail: @escaping @Sendable (String) -> Never) {
        self.fail = fail
    }

    /// Opens the log on the thread and goes on to serve it; gives what the log held.
    func start(
        open: @escaping @Sendable () throws(DurableLogError) -> Log,
        behind snapshot: StoredSnapshot?,
        limits: RaftLimits
    ) async throws -> OpenedLog {
        thread.start()
        return try await withCheckedThrowingContinuation { continuation in
            thread.submit { _ in
                do {
                    var log = try open()
                    let state = try log.recover(behind: snapshot, limits: limits)
                    let opened = OpenedLog(
                        state: state,
                        cluster: log.identity.cluster,
                        marks: log.marks
                    )
                    continuation.resume(returning: opened)
                    let (commit, done) = self.serve(&log)
                    self.end(log, commit, done)
                } catch {
                    continuation.resume(throwing: error)
                }
                self.thread.shutdownGracefully { _ in }
            }
        }
    }

    func enqueue(_ job: Job) {
        hasJobs.lock()
        jobs.append(job)
        hasJobs.unlock(withValue: true)
    }

    private func takeJobs() -> [Job] {
        hasJobs.lock(whenValue: true)
        defer { hasJobs.unlock(withValue: false) }
        return jobs.takeAll()
    }

    // MARK: On the thread

    /// Serves until the last job; gives what that one is to do.
    private func serve(_ log: inout Log) -> (LogIndex, @Sendable () -> Void) {
        var cursor = ScrubCursor()
        while true {
            var waiting: [@Sendable () -> Void] = []
            for job in takeJobs() {
                do throws(DurableLogError) {
                    if case .write(let writes, let commit, let done) = job {
                        try log.stage(writes, commit: commit)
                        waiting.append(done)
                        continue
                    }
                    try commit(&log, &waiting)
                    if case .close(let commit, let done) = job { return (commit, done) }
                    try perform(job, &log, &cursor)
                } catch {
                    fail(error.message)
                }
            }
            do throws(DurableLogError) {
                try commit(&log, &waiting)
            } catch {
                fail(error.message)
            }
        }
    }

    /// One sync for everything staged; those who wait for it are told.
    private func commit(
        _ log: inout Log,
        _ waiting: inout [@Sendable () -> Void]
    ) throws(DurableLogError) {
        guard !waiting.isEmpty else { return }
        try log.commit()
        for done in waiting { done() }
        waiting = []
    }

    private func end(_ log: consuming Log, _ commit: LogIndex, _ done: @Sendable () -> Void) {
        do throws(DurableLogError) {
            try log.close(commit: commit)
        } catch {
            fail(error.message)
        }
        done()
    }

    /// Does anything but a write and the end.
    private func perform(
        _ job: Job,
        _ log: inout Log,
        _ cursor: inout ScrubCursor
    ) throws(DurableLogError) {
        switch job {
        case .write, .close: break
        case .bootstrap(let cluster, let configuration):
            try log.bootstrap(cluster: cluster, configuration)
        case .read(let range, let maxBytes, let done):
            done(try log.entries(in: range, bytesLimit: maxBytes))
        case .adopt(let cluster, let done):
            try log.adopt(cluster: cluster)
            done()
        case .remember(let marks, let done):
            try log.remember(marks)
            done()
        case .check(let scrubBytes, let done):
            cursor = try log.scrub(from: cursor, maxBytes: scrubBytes) ?? ScrubCursor()
            done(try log.hasRoom())
        }
    }
}

/// The jobs that wait.
///
// SAFETY: looked at only while `DiskThread.hasJobs` is held.
private final class JobList: @unchecked Sendable {
    private var jobs: [DiskThread.Job] = []

    func append(_ job: DiskThread.Job) {
        jobs.append(job)
    }

    func takeAll() -> [DiskThread.Job] {
        defer { jobs = [] }
        return jobs
    }
}
