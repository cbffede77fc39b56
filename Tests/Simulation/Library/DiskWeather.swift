import DurableLog
import Model
import Raft
import StorageSimulation
import WriteAheadLog

/// What goes wrong with disks of bytes, and how whole servers come and go.
extension Simulation {
    static let clusterID: UInt128 = 0xC1
    static let otherClusterID: UInt128 = 0xC2

    // MARK: Servers

    /// A new whole server: with members it starts the cluster, without it waits to be added.
    func makeServer(
        _ settings: RaftSettings,
        members: [ClusterMember],
        cluster: UInt128,
        now local: Instant
    ) -> SimulatedServer {
        let nobody = PlacedConfiguration(
            index: .zero,
            configuration: ClusterConfiguration(members: [])
        )
        let snapshot = SimulatedDisk.Snapshot(
            point: SnapshotPoint(position: .zero, configuration: nobody),
            machine: KeyValueMachine(),
            registry: machine()
        )
        var disk = SimulatedDisk(server: settings.id, snapshot: snapshot)
        let first = members.isEmpty ? nil : (cluster, ClusterConfiguration(members: members))
        do throws(DurableLogError) {
            let (state, _) = try disk.reopen(
                first: first,
                limits: settings.limits,
                number: randomNumber()
            )
            return SimulatedServer(
                settings: settings,
                disk: disk,
                recovered: state,
                seed: random.next(),
                now: local
            )
        } catch {
            preconditionFailure("a new disk failed: \(error.message)")
        }
    }

    private func machine() -> RegistryMachine {
        var machine = RegistryMachine()
        machine.appliesTwice = options.environment.contains(.appliesTwice)
        return machine
    }

    /// Of an opening of a log.
    private func randomNumber() -> UInt128 {
        UInt128(random.next()) << 64 | UInt128(random.next())
    }

    /// Starts a whole server from its disk; nil when the disk does not let it.
    func reopen(
        _ id: NodeID,
        _ settings: RaftSettings,
        disk stopped: SimulatedDisk
    ) -> SimulatedServer? {
        var disk = stopped
        guard let storage = disk.bytes?.storage else { return nil }
        storage.capacityBytes = .max
        if phase == .faulty, chance(options.crashAtDiskChance) {
            storage.crashAt = storage.operations + Int.random(in: 0..<14, using: &random)
        }
        do throws(DurableLogError) {
            let (state, flaw) = try disk.reopen(limits: settings.limits, number: randomNumber())
            storage.crashAt = nil
            if let flaw {
                guard storage.stray?.isFollowed == false else {
                    checker.report(.durability, "server \(id.rawValue) \(flaw)")
                    return nil
                }
                // The last batch of all was lost: no log can tell that from a crash.
                counts.lostTails += 1
                replace(id)
                return nil
            }
            storage.settleStray()
            nodes[id]?.isRotten = false
            nodes[id]?.shell.recall(disk.bytes?.marks ?? [:])
            if options.environment.contains(.forgetsMarks) { nodes[id]?.shell.marks = [:] }
            return SimulatedServer(
                settings: settings,
                disk: disk,
                recovered: state,
                seed: random.next(),
                now: localTime(id)
            )
        } catch {
            if case .log(.storage) = error {
                counts.diskFailures += 1
                disk.stop(losingPower: true, using: &random)
                nodes[id]?.disk = disk
                after(.milliseconds(Int64.random(in: 20...300, using: &random)), .restart(id))
            } else if case .log(.damaged(let damage)) = error, nodes[id]?.isRotten == true {
                if storage.stray != nil { counts.foundStrays += 1 }
                guard options.environment.contains(.truncatesDamage) else {
                    replace(id)
                    return nil
                }
                disk.bytes?.cut(at: damage)
                storage.settleStray()
                after(.milliseconds(10), .restart(id))
            } else {
                checker.report(.durability, "server \(id.rawValue): \(error.message)")
            }
            return nil
        }
    }

    /// The server is given up; another one takes its place, with an empty disk and a new id.
    func replace(_ id: NodeID) {
        if isVerbose { print(now.nanoseconds / 1_000_000, "end of", id.rawValue) }
        nodes[id] = nil
        counts.replaced += 1
        let successor = NodeID(rawValue: id.rawValue % 100 + UInt128(counts.replaced) * 100)
        addNode(successor, members: [])
        successors.insert(successor)
    }

    /// A disk operation failed: the process ends, and the power with it unless the disk is full.
    func end(_ id: NodeID, because failure: DurableLogError) {
        switch failure {
        case .log(.storage(let storage)):
            if storage.isOutOfSpace { counts.fullDisks += 1 } else { counts.diskFailures += 1 }
            crash(id, losingPower: !storage.isOutOfSpace)
        case .log(.damaged) where nodes[id]?.isRotten == true:
            if nodes[id]?.server?.disk.bytes?.storage.stray != nil { counts.foundStrays += 1 }
            replace(id)
        default:
            checker.report(.durability, "server \(id.rawValue): \(failure.message)")
        }
    }

    // MARK: Faults

    /// Arms the disk of a server for its next sync.
    func troubleDisk(_ id: NodeID) {
        guard phase == .faulty, let storage = nodes[id]?.server?.disk.bytes?.storage else { return }
        if chance(options.crashAtDiskChance) {
            storage.crashAt = storage.operations + Int.random(in: 0..<4, using: &random)
        }
        if chance(options.fullDiskChance) { storage.capacityBytes = 0 }
        if chance(options.strayChance), canLose(id) {
            storage.straySeed = random.next()
            nodes[id]?.isRotten = true
            counts.strays += 1
        }
    }

    /// Damages a disk while its server is down, if the cluster can do without that server.
    func rotDisk(of id: NodeID) {
        guard phase == .faulty, chance(options.rotChance), canLose(id),
            nodes[id]?.disk?.bytes?.rot(using: &random) == true
        else { return }
        counts.rots += 1
        nodes[id]?.isRotten = true
    }

    /// Whether every other server is whole, and a majority as every server sees it, the victim's
    /// disk included: what it has written may be on its way to the others.
    func canLose(_ victim: NodeID) -> Bool {
        guard nodes.allSatisfy({ !$0.value.isRotten && !$0.value.isOld }) else {
            return false
        }
        let others = nodes.filter { $0.key != victim }
        guard others.allSatisfy({ $0.value.server != nil }) else { return false }
        let servers = others.values.compactMap(\.server)
        guard servers.contains(where: { !$0.raft.configuration.members.isEmpty }) else {
            return false
        }
        let configurations =
            servers.map(\.raft.configuration) + configurations(onDiskOf: victim)
            + configurationsUnderWay()
        return configurations.allSatisfy { configuration in
            guard configuration.everyone.allSatisfy({ nodes[$0] != nil }) else { return false }
            let living = configuration.reached { others[$0] != nil ? 1 : 0 }
            return configuration.members.isEmpty || living == 1
        }
    }

    /// The last configuration among a server's entries.
    private func configurations(onDiskOf id: NodeID) -> [ClusterConfiguration] {
        if let raft = nodes[id]?.server?.raft { return [raft.configuration] }
        for entry in (nodes[id]?.disk?.durable.entries ?? []).reversed() {
            if case .configuration(let configuration) = entry.body { return [configuration] }
        }
        return []
    }

    /// What servers that crashed lately may have sent without having it on their disks.
    private func configurationsUnderWay() -> [ClusterConfiguration] {
        nodes.keys.sorted().compactMap { id in
            guard let lastKnown = nodes[id]?.lastKnown, now.since(lastKnown.at) < .seconds(3) else {
                return nil
            }
            return lastKnown.configuration
        }
    }

    // MARK: Autopilot

    /// A leader brings in the servers that take the place of lost ones.
    func runAutopilot() {
        after(.milliseconds(400), .autopilot)
        // Who is about to be lost must not be counted on meanwhile.
        guard !successors.isEmpty, !nodes.values.contains(where: \.isRotten) else { return }
        for id in nodes.keys.sorted() {
            guard let raft = nodes[id]?.server?.raft, raft.isLeader,
                now >= nodes[id]?.pausedUntil ?? now
            else { continue }
            var changes: [MemberChange] = []
            for member in raft.configuration.members {
                if nodes[member.id] == nil {
                    changes.append(.remove(member.id))
                } else if member.role == .learner, successors.contains(member.id),
                    nodes[member.id]?.server != nil
                {
                    // Only who is healthy.
                    changes.append(.promote(member.id))
                }
            }
            let absent = successors.sorted().filter { raft.configuration.member($0) == nil }
            changes += absent.filter { nodes[$0] != nil }.map { .addLearner($0, address: "") }
            guard let change = changes.first else { continue }
            step(id, .changeMembers(RequestToken(rawValue: .max), [change]))
        }
    }

    /// Whether a lost server still counts somewhere, so that no other risk is taken.
    var isShortOfServers: Bool {
        options.isWhole
            && nodes.values.contains { node in
                node.isRotten || node.isOld
                    || node.server?.raft.configuration.everyone.contains { nodes[$0] == nil }
                        == true
            }
    }
}

/// How often what can happen to whole servers did happen.
package struct WholeCounts: Hashable, Sendable, CustomStringConvertible {
    package var replaced = 0
    package var rots = 0
    /// Writes that went astray, how many were found, and how many were the last of a log.
    package var strays = 0
    package var foundStrays = 0
    package var lostTails = 0
    package var oldImages = 0
    /// Of these, images of the start that they end.
    package var presentImages = 0
    package var diskFailures = 0
    package var fullDisks = 0
    /// Messages refused because of an old disk image.
    package var refusedStarts = 0
    /// Entries of requests that had taken effect before.
    package var duplicates = 0

    package init() {}

    package static func += (left: inout WholeCounts, right: WholeCounts) {
        left.replaced += right.replaced
        left.rots += right.rots
        left.strays += right.strays
        left.foundStrays += right.foundStrays
        left.lostTails += right.lostTails
        left.oldImages += right.oldImages
        left.presentImages += right.presentImages
        left.diskFailures += right.diskFailures
        left.fullDisks += right.fullDisks
        left.refusedStarts += right.refusedStarts
        left.duplicates += right.duplicates
    }

    package var description: String {
        "\(diskFailures) disk failures, \(fullDisks) full disks, \(rots) damaged, "
            + "\(strays) writes astray (\(foundStrays) found, \(lostTails) last of all), "
            + "\(oldImages) old images, \(presentImages) of the last start, "
            + "\(refusedStarts) refusals, "
            + "\(replaced) servers replaced, \(duplicates) duplicates without effect"
    }
}
