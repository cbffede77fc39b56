import Model
import Raft
import StorageSimulation

/// What goes wrong, and how it ends.
extension Simulation {
    private enum Kind: CaseIterable {
        case crash, partition, pause, members, transfer, heal
    }

    func addNode(
        _ id: NodeID,
        members: [ClusterMember],
        cluster: UInt128 = Simulation.clusterID
    ) {
        let drift = Int64(options.clockDrift)
        let clock = SimulatedClock(
            offset: UInt64.random(in: 1_000_000_000...(1 << 50), using: &random),
            drift: Int64.random(in: -drift...drift, using: &random)
        )
        let local = clock.local(now)
        var server =
            options.isWhole
            ? makeServer(settings(id), members: members, cluster: cluster, now: local)
            : SimulatedServer(
                settings: settings(id),
                members: members,
                seed: random.next(),
                now: local
            )
        prepare(&server)
        nodes[id] = Node(server: server, clock: clock)
        schedule(id)
        guard options.isWhole else { return }
        nodes[id]?.shell.wallOffset = UInt64.random(in: 0...3_000_000_000, using: &random)
        restartShell(of: id)
        after(.milliseconds(300), .sessions(id))
        after(.milliseconds(200), .tell(id))
    }

    private func settings(_ id: NodeID) -> RaftSettings {
        var settings = RaftSettings(id: id, timing: options.timing, limits: options.limits)
        settings.faults = options.faults
        return settings
    }

    private func prepare(_ server: inout SimulatedServer) {
        server.disk.bytes?.commitsLate = options.environment.contains(.commitsLate)
        server.disk.bytes?.storage.liesAboutSync = options.environment.contains(.losesSyncs)
        server.disk.liesAboutSyncs =
            server.disk.bytes == nil && options.environment.contains(.losesSyncs)
        if options.environment.contains(.divergesState) {
            server.salt = UInt64(truncatingIfNeeded: server.id.rawValue)
        }
    }

    // MARK: Faults

    func causeFault() {
        let half = max(1, options.faultInterval.rawValue)
        after(
            Nanoseconds(rawValue: Int64.random(in: half / 2...half * 3 / 2, using: &random)),
            .fault
        )
        if options.isWhole, chance(2000) {
            // The wall clock of a server is set.
            nodes[randomNode()]?.shell.wallOffset = UInt64.random(
                in: 0...3_000_000_000,
                using: &random
            )
        }
        switch pickKind() {
        case .crash: crash(victim())
        case .partition: partition()
        case .pause:
            let least = options.pauseTime.rawValue / 15
            let span = least...options.pauseTime.rawValue
            let time = Nanoseconds(rawValue: Int64.random(in: span, using: &random))
            let victim = victim()
            let wasPaused = nodes[victim].map { $0.pausedUntil > now } ?? false
            nodes[victim]?.pausedUntil = now.advanced(by: time)
            if options.environment.contains(.stopsClocks), !wasPaused {
                nodes[victim]?.clock.offset -= UInt64(time.rawValue)
            }
        case .members: if !isShortOfServers { changeMembers() }
        case .transfer: transfer()
        case .heal: network.heal()
        }
    }

    private func pickKind() -> Kind {
        let weights = [
            (Kind.crash, options.crashWeight), (.partition, options.partitionWeight),
            (.pause, options.pauseWeight), (.members, options.memberWeight),
            (.transfer, options.transferWeight), (.heal, options.healWeight),
        ]
        let total = weights.reduce(0) { $0 + $1.1 }
        var pick = Int.random(in: 0..<max(1, total), using: &random)
        for (kind, weight) in weights {
            if pick < weight { return kind }
            pick -= weight
        }
        return .heal
    }

    func crash(_ id: NodeID, losingPower: Bool = true) {
        // Whoever runs on an old image is about to be found out.
        guard let server = nodes[id]?.server, nodes[id]?.isOld != true else { return }
        if isVerbose { print(now.nanoseconds / 1_000_000, "crash of", id.rawValue) }
        var disk = server.disk
        disk.crash(using: &random)
        if options.isWhole {
            disk.stop(losingPower: losingPower, using: &random)
            putBackDisk(of: id, &disk)
            restartShell(of: id)
        }
        if options.environment.contains(.restoresOldDisks), let image = nodes[id]?.image {
            disk.restore(image)
            nodes[id]?.image = nil
        }
        nodes[id]?.lastKnown = (server.raft.configuration, now)
        nodes[id]?.server = nil
        nodes[id]?.disk = disk
        nodes[id]?.waiting = [:]
        nodes[id]?.heardLeader = nil
        if options.isWhole { rotDisk(of: id) }
        after(.milliseconds(Int64.random(in: 20...1200, using: &random)), .restart(id))
    }

    func restart(_ id: NodeID) {
        guard let node = nodes[id], node.server == nil, let disk = node.disk else { return }
        if isVerbose { print(now.nanoseconds / 1_000_000, "restart of", id.rawValue) }
        let started =
            options.isWhole
            ? reopen(id, settings(id), disk: disk)
            : SimulatedServer(
                settings: settings(id),
                disk: disk,
                seed: random.next(),
                now: localTime(id)
            )
        guard var server = started else { return }
        prepare(&server)
        checker.didRestart(server)
        nodes[id]?.server = server
        nodes[id]?.disk = nil
        nodes[id]?.start += 1
        nodes[id]?.isDiskBusy = false
        nodes[id]?.timerAt = nil
        nodes[id]?.pausedUntil = now
        schedule(id)
    }

    private func partition() {
        let ids = nodes.keys.sorted()
        let victim = victim()
        let kind = Int.random(in: 0..<5, using: &random)
        let group = ids.filter { _ in Bool.random(using: &random) }
        for other in ids where other != victim {
            switch kind {
            case 0, 1:
                network.cutLink(from: victim, to: other)
                network.cutLink(from: other, to: victim)
            case 2: network.cutLink(from: victim, to: other)
            case 3: network.cutLink(from: other, to: victim)
            default: break
            }
        }
        guard kind == 4 else { return }
        for one in group {
            for other in ids where !group.contains(other) {
                network.cutLink(from: one, to: other)
                network.cutLink(from: other, to: one)
            }
        }
    }

    /// A leader in office, old or new.
    private func someLeader() -> NodeID? {
        let leaders = nodes.keys.sorted().filter { nodes[$0]?.server?.raft.isLeader == true }
        guard !leaders.isEmpty else { return nil }
        return leaders[Int.random(in: 0..<leaders.count, using: &random)]
    }

    private func victim() -> NodeID {
        guard chance(options.leaderVictimChance), let leader = someLeader() else {
            return randomNode()
        }
        return leader
    }

    private func changeMembers() {
        guard let leader = someLeader(), let raft = nodes[leader]?.server?.raft else { return }
        var changes: [MemberChange] = []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let id = randomNode()
            guard let member = raft.configuration.members.first(where: { $0.id == id }) else {
                changes.append(.addLearner(id, address: ""))
                continue
            }
            switch (member.role, Int.random(in: 0..<3, using: &random)) {
            case (.learner, 0...1): changes.append(.promote(id))
            case (.voter, 0): changes.append(.demote(id))
            default: changes.append(.remove(id))
            }
        }
        admin(leader, .changeMembers(RequestToken(rawValue: .max), changes))
    }

    private func transfer() {
        guard let leader = someLeader() else { return }
        let target = chance(5000) ? randomNode() : nil
        admin(leader, .transferLeadership(RequestToken(rawValue: .max), to: target))
    }

    private func admin(_ id: NodeID, _ input: RaftInput) {
        guard let until = nodes[id]?.pausedUntil, now >= until else { return }
        let local = localTime(id)
        guard let output = nodes[id]?.server?.step([input], now: local) else { return }
        finishStep(id, output)
    }

    // MARK: Afterwards

    /// Ends all faults.
    func heal() {
        phase = .healed(since: now, answered: history.answered + registryHistory.answered)
        network.heal()
        network.isHealed = true
        for id in nodes.keys.sorted() {
            nodes[id]?.pausedUntil = now
            if nodes[id]?.server == nil { restart(id) }
        }
    }

    /// Whether the healed cluster has served clients and all its members agree.
    func hasConverged() -> Bool {
        switch phase {
        case .faulty: return false
        case .healed(let since, let answered):
            guard now.since(since) > .milliseconds(300),
                history.answered + registryHistory.answered >= answered + 10
            else {
                return false
            }
            if options.writesWhileConverging { return membersFollow() }
            phase = .quiet(since: now)
            return false
        case .quiet: return membersAgree()
        }
    }

    private func currentLeader() -> SimulatedServer? {
        nodes.keys.sorted().compactMap { nodes[$0]?.server }
            .filter { $0.raft.isLeader }
            .max { $0.raft.term < $1.raft.term }
    }

    private func membersAgree() -> Bool {
        guard let leader = currentLeader(), !leader.raft.configuration.isJoint,
            leader.raft.log.applied == leader.raft.log.lastIndex
        else { return false }
        return leader.raft.configuration.everyone.allSatisfy { id in
            guard let server = nodes[id]?.server else { return false }
            return server.machine == leader.machine
                && server.registry?.digest == leader.registry?.digest
                && server.raft.leader == leader.id
                && server.raft.log.stable == leader.raft.log.stable
        }
    }

    private func membersFollow() -> Bool {
        guard let leader = currentLeader() else { return false }
        return leader.raft.leading.followers.allSatisfy { $0.state == .replicate }
    }
}
