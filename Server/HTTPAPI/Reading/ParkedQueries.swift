import Model
import NIOCore
import Replica

/// The blocking queries that wait on one event loop.
///
/// Those that ask the same form a group: a commit that touches what the group reads has it
/// evaluated once, and everyone whose index it passes gets the same bytes. Bounded by
/// `HTTPLimits.parkedQueriesPerLoop`: beyond it a query is answered at once, as if its time were
/// over.
final class ParkedQueries {
    /// One client that waits.
    final class Waiter: DeadlineHeap.Element {
        let minimumIndex: LogIndex
        let variant: ReplyVariant
        /// Gets the bytes of the answer.
        let answer: (ByteBuffer, Bool) -> Void
        fileprivate weak var group: Group?
        fileprivate var position = 0

        init(
            minimumIndex: LogIndex,
            variant: ReplyVariant,
            deadline: NIODeadline,
            answer: @escaping (ByteBuffer, Bool) -> Void
        ) {
            self.minimumIndex = minimumIndex
            self.variant = variant
            self.answer = answer
            super.init(deadline: deadline)
        }
    }

    fileprivate final class Group {
        let query: ReadQuery
        var waiters: [Waiter] = []
        var watch: WatchID?

        init(query: ReadQuery) {
            self.query = query
        }
    }

    private let reader: LoopReader
    private let eventLoop: any EventLoop
    private let limit: Int
    private var date = HTTPDate()
    private var groups: [String: Group] = [:]
    private var deadlines = DeadlineHeap()
    private var timer: (deadline: NIODeadline, task: Scheduled<Void>)?

    init(reader: LoopReader, eventLoop: any EventLoop) {
        self.reader = reader
        self.eventLoop = eventLoop
        limit = reader.services.limits.parkedQueriesPerLoop
    }

    /// How many wait.
    var count: Int { deadlines.count }

    var hasRoom: Bool { count < limit }

    /// Has `waiter` wait for a newer answer than `answer`, which was evaluated in this turn of the
    /// loop.
    func park(_ waiter: Waiter, _ query: ReadQuery, after answer: ReadAnswer) {
        let group = groups[query.identity] ?? Group(query: query)
        if group.waiters.isEmpty {
            groups[query.identity] = group
            watch(group, answer)
        }
        waiter.group = group
        waiter.position = group.waiters.count
        group.waiters.append(waiter)
        deadlines.insert(waiter)
        scheduleTimer()
    }

    /// Forgets a client that went away.
    func remove(_ waiter: Waiter) {
        deadlines.remove(waiter)
        guard let group = waiter.group else { return }
        waiter.group = nil
        let last = group.waiters.count - 1
        group.waiters.swapAt(waiter.position, last)
        group.waiters[waiter.position].position = waiter.position
        group.waiters.removeLast()
        if group.waiters.isEmpty { drop(group) }
    }

    private func drop(_ group: Group) {
        if let watch = group.watch { reader.watches.cancel(watch) }
        group.watch = nil
        groups[group.query.identity] = nil
    }

    private func watch(_ group: Group, _ answer: ReadAnswer) {
        group.watch = reader.watches.park(answer.topics) { [weak self, weak group] in
            guard let self, let group else { return }
            group.watch = nil
            self.changed(group)
        }
    }

    /// Has the group's query evaluated anew, once it may be.
    ///
    /// Until then nothing is watched: whatever happens meanwhile is in what is evaluated.
    private func changed(_ group: Group) {
        reader.read(group.query) { [weak self, weak group] result in
            // A group without waiters was dropped meanwhile.
            guard let self, let group, !group.waiters.isEmpty else { return }
            self.evaluated(group, result)
        }
    }

    /// Answers those whose index the new state passes; the others wait on.
    private func evaluated(_ group: Group, _ result: Result<ReadAnswer, HTTPError>) {
        let due: [Waiter]
        let reply: Reply
        switch result {
        case .success(let answer):
            due = group.waiters.filter { answer.index > $0.minimumIndex }
            reply = reader.finished(answer, group.query)
            if due.count < group.waiters.count { watch(group, answer) }
        case .failure(let error):
            due = group.waiters
            reply = reader.refused(error, group.query)
        }
        send(reply, to: due)
    }

    private func send(_ reply: Reply, to waiters: [Waiter]) {
        var rendered: [ReplyVariant: ByteBuffer] = [:]
        date.update()
        for waiter in waiters { remove(waiter) }
        for waiter in waiters {
            let variant = waiter.variant
            let bytes =
                rendered[variant]
                ?? reader.renderer.render(reply, variant, date: date).buffer
            rendered[variant] = bytes
            waiter.answer(bytes, variant.closes)
        }
    }

    // MARK: Time

    private func scheduleTimer() {
        guard let next = deadlines.first?.deadline else { return }
        if let timer, timer.deadline <= next { return }
        timer?.task.cancel()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let task = eventLoop.scheduleTask(deadline: next) { bound.value.timeIsUp() }
        timer = (next, task)
    }

    /// Gives everyone whose time is over what is there now.
    private func timeIsUp() {
        timer = nil
        expire(at: eventLoop.now)
        scheduleTimer()
    }

    func expire(at now: NIODeadline) {
        var due: [ObjectIdentifier: (group: Group, waiters: [Waiter])] = [:]
        while let first = deadlines.first as? Waiter, first.deadline <= now {
            deadlines.remove(first)
            guard let group = first.group else { continue }
            due[ObjectIdentifier(group), default: (group, [])].waiters.append(first)
        }
        for (group, waiters) in due.values {
            reader.read(group.query) { [weak self] result in
                guard let self else { return }
                // Some may have been answered or have gone away while this was asked.
                let waiting = waiters.filter { $0.group === group }
                switch result {
                case .success(let answer):
                    self.send(self.reader.finished(answer, group.query), to: waiting)
                case .failure(let error):
                    self.send(self.reader.refused(error, group.query), to: waiting)
                }
            }
        }
    }
}
