import Logging
import Model
import NIOCore
import RPC
import Raft
import Replica
import StateMachine

/// From the first turn to the last.
extension Consensus {
    func start(
        from machine: StateMachine?,
        deliver: @escaping (ReplicationEvent) -> Void,
        capture: @escaping () -> StateMachine
    ) {
        self.deliver = deliver
        self.capture = capture
        if let machine { deliver(.restored(machine, through: raft.log.applied)) }
        gate.setCommitted(raft.log.commit)
        sweep = eventLoop.scheduleRepeatedTask(
            initialDelay: settings.limits.sweepInterval,
            delay: settings.limits.sweepInterval,
            notifying: nil
        ) { [bound = NIOLoopBound(self, eventLoop: eventLoop)] _ in
            bound.value.sweepRequests()
        }
        watchDisk()
        foundClusterWhenDue()
        updatePeers()
        scheduleJoining(after: .zero)
        scheduleAutopilot()
        scheduleStanding()
        input(.timer)
    }

    func listen() -> EventLoopFuture<Void> {
        transport.listen(host: settings.listenHost, port: settings.listenPort).map { _ in }
    }

    /// Looks after the disk now and then: a full one takes leadership away while there is time.
    private func watchDisk() {
        let checked = callback { (consensus, hasRoom: Bool) in
            consensus.diskHasRoom(hasRoom)
            consensus.eventLoop.assumeIsolated().scheduleTask(
                in: consensus.settings.limits.diskCheckInterval
            ) {
                if !consensus.isStopped { consensus.watchDisk() }
            }
        }
        disk.enqueue(.check(scrubBytes: settings.limits.scrubBytes, done: checked))
    }

    private func scheduleStanding() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: settings.limits.standingInterval) {
            guard !bound.value.isStopped else { return }
            bound.value.tellStanding()
            bound.value.scheduleStanding()
        }
    }

    private func diskHasRoom(_ hasRoom: Bool) {
        for peer in raft.configuration.everyone { observe(peer) }
        storeMarks()
        if hasRoom != self.hasRoom {
            if hasRoom {
                logger.info("the log's disk has room again")
            } else {
                logger.error("the log's disk is nearly full: no writes are taken here as leader")
            }
        }
        self.hasRoom = hasRoom
        guard !hasRoom, raft.isLeader else { return }
        input(.transferLeadership(makeToken(.operation { _ in }), to: nil))
    }

    /// Hands leadership over; calls back when another server leads or time is up.
    func stepDown(_ completion: @escaping () -> Void) {
        guard raft.isLeader, raft.configuration.voters.count > 1 else { return completion() }
        var completion: (() -> Void)? = completion
        let once = {
            completion?()
            completion = nil
        }
        input(.transferLeadership(makeToken(.operation { _ in once() }), to: nil))
        eventLoop.assumeIsolated().scheduleTask(in: settings.limits.transferTime) { once() }
    }

    /// Ends everything; what is on its way to the disk gets there.
    func stop(_ completion: @escaping () -> Void) {
        guard !isStopped else { return completion() }
        isStopped = true
        sweep?.cancel()
        timer?.task.cancel()
        gate.setLease(nil)
        transport.stop()
        for read in waitingReads { read.completion(.noLeader) }
        waitingReads = []
        for id in asks.keys.sorted() { asks.removeValue(forKey: id)?.completion(.noLeader) }
        let closed = NIOLoopBound(completion, eventLoop: eventLoop)
        let loop = eventLoop
        archive.stop()
        disk.enqueue(
            .close(commit: raft.log.commit) { loop.execute { closed.value() } }
        )
    }
}
