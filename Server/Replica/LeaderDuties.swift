import HeapModule
import Model
import NIOCore
import Wire

/// What only the leader does by the clock: ending sessions and forgetting old tombstones.
///
/// Both become commands, so every replica does them at the same place of the log.
/// A session ends between its time to live and `timerSlack` later, counted from its creation or
/// last renewal; a new leader counts every session from the moment it took over.
struct LeaderDuties {
    private struct SessionDeadline: Comparable {
        let at: NIODeadline
        let id: String

        static func < (left: SessionDeadline, right: SessionDeadline) -> Bool {
            left.at < right.at
        }
    }

    private struct TombstoneStep {
        var upTo: LogIndex
        var at: NIODeadline
    }

    /// How late a timer may fire so that several share it.
    static let timerSlack = TimeAmount.milliseconds(50)

    /// How long the end of a session may take before it is proposed again; it may be refused.
    static let repetition = TimeAmount.seconds(2)

    private let limits: ReplicaLimits
    private(set) var isLeader = false
    /// When each session with a time to live ends; the heap may hold older, passed-over deadlines.
    private var sessionDeadlines: [String: NIODeadline] = [:]
    private var sessionLifetimes: [String: TimeAmount] = [:]
    private var heap = Heap<SessionDeadline>()
    private var tombstones: [TombstoneStep] = []
    private var timer: (task: Scheduled<Void>, at: NIODeadline)?

    init(limits: ReplicaLimits) {
        self.limits = limits
    }

    // MARK: Inputs

    mutating func leadershipChanged(isLeader: Bool, sessions: [Session], at now: NIODeadline) {
        self.isLeader = isLeader
        sessionDeadlines = [:]
        sessionLifetimes = [:]
        heap = Heap()
        tombstones = []
        guard isLeader else { return cancel() }
        for session in sessions { track(session, at: now) }
    }

    /// Learns from an applied command.
    mutating func observe(
        _ command: SessionCommand,
        result: CommandResult,
        now: NIODeadline
    ) {
        guard isLeader else { return }
        switch (command, result) {
        case (.create(let session), .sessionID):
            track(session, at: now)
        case (.destroy(let id), _):
            forget(session: id)
        default:
            break
        }
    }

    mutating func renew(session id: String, at now: NIODeadline) {
        guard let lifetime = sessionLifetimes[id] else { return }
        sessionDeadlines[id] = now + lifetime
        // The passed-over deadline stays in the heap and is re-armed when it comes up.
    }

    // MARK: Output

    /// The commands that are due.
    ///
    /// The end of a session comes again until it has taken effect: the log may refuse it.
    mutating func due(
        at now: NIODeadline,
        sessionExists: (String) -> Bool
    ) -> [Command] {
        timer = nil
        guard isLeader else { return [] }
        var commands: [Command] = []
        while let first = heap.min, first.at <= now {
            heap.removeMin()
            guard let deadline = sessionDeadlines[first.id] else { continue }
            guard deadline <= now else {
                heap.insert(SessionDeadline(at: deadline, id: first.id))
                continue
            }
            guard sessionExists(first.id) else {
                forget(session: first.id)
                continue
            }
            commands.append(.session(.destroy(id: first.id)))
            let again = now + Self.repetition
            sessionDeadlines[first.id] = again
            heap.insert(SessionDeadline(at: again, id: first.id))
        }
        while let first = tombstones.first, first.at <= now {
            tombstones.removeFirst()
            commands.append(.reapTombstones(upTo: first.upTo))
        }
        return commands
    }

    /// The next deadline when no timer covers it yet; the caller schedules one and calls
    /// `isScheduled`.
    mutating func takeUnscheduledDeadline() -> NIODeadline? {
        let next = [heap.min?.at, tombstones.first?.at].compactMap { $0 }.min()
        guard let next else { return nil }
        if let timer {
            guard next + Self.timerSlack < timer.at else { return nil }
            timer.task.cancel()
        }
        return next + Self.timerSlack
    }

    mutating func isScheduled(_ task: Scheduled<Void>, at deadline: NIODeadline) {
        timer = (task, deadline)
    }

    mutating func cancel() {
        timer?.task.cancel()
        timer = nil
    }

    // MARK: Helpers

    private mutating func track(_ session: Session, at now: NIODeadline) {
        guard let lifetime = session.timeToLive, lifetime > .zero else { return }
        let amount = TimeAmount.nanoseconds(lifetime.rawValue)
        sessionLifetimes[session.id] = amount
        sessionDeadlines[session.id] = now + amount
        heap.insert(SessionDeadline(at: now + amount, id: session.id))
    }

    private mutating func forget(session id: String) {
        sessionDeadlines[id] = nil
        sessionLifetimes[id] = nil
    }

    /// Plans the reaping of what was deleted up to `index`: never earlier than promised, and up to
    /// one granule later, so that the deletions of that granule share one command.
    mutating func expectTombstones(upTo index: LogIndex, now: NIODeadline) {
        guard isLeader else { return }
        let earliest = now + .nanoseconds(limits.tombstoneLifetime.rawValue)
        let latest = earliest + .nanoseconds(limits.tombstoneGranularity.rawValue)
        guard let last = tombstones.last else {
            return tombstones.append(TombstoneStep(upTo: index, at: latest))
        }
        if earliest <= last.at {
            tombstones[tombstones.count - 1].upTo = index
        } else if tombstones.count >= limits.tombstoneSteps {
            tombstones[tombstones.count - 1] = TombstoneStep(upTo: index, at: latest)
        } else {
            tombstones.append(TombstoneStep(upTo: index, at: latest))
        }
    }
}

extension Session {
    /// The time to live as a length, or nil when the session has none.
    var timeToLive: Nanoseconds? {
        ttl.isEmpty ? nil : GoDuration.parse(ttl)
    }
}
