import DurableLog
import Model
import Raft
import StorageSimulation
import WriteAheadLog

/// What goes wrong with disks of bytes, and how whole servers come and go.
extension Simulation {
    /// An old state of a server's disk, as a backup holds it.
    struct DiskImage {
        var files: [String: [UInt8]]
        var disk: SimulatedDisk
        var opened: UInt64
    }

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
            let (state, _) = try disk.reopen(first: first, limits: settings.limits)
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
            let (state, flaw) = try disk.reopen(limits: settings.limits)
            storage.crashAt = nil
            if let flaw { checker.report(.durability, "server \(id.rawValue) \(flaw)") }
            nodes[id]?.isRotten = false
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
                guard options.environment.contains(.truncatesDamage) else {
                    replace(id)
                    return nil
                }
                disk.bytes?.cut(at: damage)
                after(.milliseconds(10), .restart(id))
            } else {
                checker.report(.durability, "server \(id.rawValue): \(error.message)")
            }
            return nil
        }
    }

    /// The server is given up; another one takes its place, with an empty disk and a new id.
    private func replace(_ id: NodeID) {
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
    private func canLose(_ victim: NodeID) -> Bool {
        guard nodes.allSatisfy({ !$0.value.isRotten && $0.value.oldStart == nil }) else {
            return false
        }
        let others = nodes.filter { $0.key != victim }
        guard others.allSatisfy({ $0.value.server != nil }) else { return false }
        let servers = others.values.compactMap(\.server)
        guard servers.contains(where: { !$0.raft.configuration.members.isEmpty }) else {
            return false
        }
        let configurations = servers.map(\.raft.configuration) + configurations(onDiskOf: victim)
        return configurations.allSatisfy { configuration in
            guard configuration.everyone.allSatisfy({ nodes[$0] != nil }) else { return false }
            let living = configuration.reached { others[$0] != nil ? 1 : 0 }
            return configuration.members.isEmpty || living == 1
        }
    }

    /// The last configuration among a stopped server's entries.
    private func configurations(onDiskOf id: NodeID) -> [ClusterConfiguration] {
        for entry in (nodes[id]?.disk?.durable.entries ?? []).reversed() {
            if case .configuration(let configuration) = entry.body { return [configuration] }
        }
        return []
    }

    /// Keeps an image of a disk, or puts back one of an earlier start.
    func imageDisk(of id: NodeID, _ disk: inout SimulatedDisk) {
        guard phase == .faulty, let bytes = disk.bytes, chance(options.oldImageChance) else {
            return
        }
        guard let image = nodes[id]?.diskImage else {
            nodes[id]?.diskImage = DiskImage(
                files: bytes.storage.image,
                disk: disk,
                opened: bytes.opened
            )
            return
        }
        // Its peers have seen a later start, so that they can tell.
        let seen = nodes.values.map { $0.shell.known[id] ?? 0 }
        guard seen.filter({ $0 > image.opened + 1 }).count >= nodes.count - 1, canLose(id) else {
            return
        }
        if isVerbose { print(now.nanoseconds / 1_000_000, "old image of", id.rawValue) }
        disk = image.disk
        disk.bytes?.storage.image = image.files
        counts.oldImages += 1
        nodes[id]?.oldStart = image.opened
        nodes[id]?.diskImage = nil
        after(.milliseconds(Int64.random(in: 1500...4000, using: &random)), .retire(id))
    }

    /// An operator notices the old image.
    func retire(_ id: NodeID) {
        guard nodes[id]?.oldStart != nil else { return }
        replace(id)
    }

    // MARK: Who is spoken to

    func greeting(of id: NodeID) -> Greeting {
        let bytes = nodes[id]?.server?.disk.bytes
        return Greeting(cluster: bytes?.cluster ?? 0, opened: bytes?.opened ?? 0)
    }

    /// Whether both servers would take the connection, by the rules of the handshake.
    func admits(_ id: NodeID, from peer: NodeID, _ greeting: Greeting) -> Bool {
        guard let bytes = nodes[id]?.server?.disk.bytes else { return false }
        if !options.environment.contains(.ignoresClusterID) {
            guard greeting.cluster != 0 else { return false }
            if bytes.cluster == 0 {
                do throws(DurableLogError) {
                    try bytes.adopt(cluster: greeting.cluster)
                } catch {
                    end(id, because: error)
                    return false
                }
            }
            guard bytes.cluster == greeting.cluster else { return false }
        } else if bytes.cluster == 0, greeting.cluster == 0 {
            return false
        }
        let known = nodes[id]?.shell.known[peer] ?? 0
        let isOld = greeting.opened < known || bytes.opened < nodes[peer]?.shell.known[id] ?? 0
        if isOld, !options.environment.contains(.ignoresStartCounts) {
            counts.refusedStarts += 1
            return false
        }
        // A letter may be from before the image was put back.
        let isOfThisStart = greeting.opened == nodes[peer]?.server?.disk.bytes?.opened
        if isOfThisStart, nodes[peer]?.oldStart != nil || nodes[id]?.oldStart != nil {
            checker.report(.durability, "a server on an old disk image takes part")
        }
        nodes[id]?.shell.known[peer] = greeting.opened
        return true
    }

    // MARK: Autopilot

    /// A leader brings in the servers that take the place of lost ones.
    func runAutopilot() {
        after(.milliseconds(400), .autopilot)
        guard !successors.isEmpty else { return }
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
                node.isRotten || node.oldStart != nil
                    || node.server?.raft.configuration.everyone.contains { nodes[$0] == nil }
                        == true
            }
    }
}

/// How often what can happen to whole servers did happen.
package struct WholeCounts: Hashable, Sendable, CustomStringConvertible {
    package var replaced = 0
    package var rots = 0
    package var oldImages = 0
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
        left.oldImages += right.oldImages
        left.diskFailures += right.diskFailures
        left.fullDisks += right.fullDisks
        left.refusedStarts += right.refusedStarts
        left.duplicates += right.duplicates
    }

    package var description: String {
        "\(diskFailures) disk failures, \(fullDisks) full disks, \(rots) damaged, "
            + "\(oldImages) old images (\(refusedStarts) messages refused), "
            + "\(replaced) servers replaced, \(duplicates) duplicates without effect"
    }
}
