import DurableLog
import Model
import Raft
import StorageSimulation

/// Disks that are put back to what they were: while their servers ran, or before they last started.
///
/// The shell of a server does what the production shell does, with the production marks. Beside it
/// an observer writes down what each server was told of each other's disk, from the disks
/// themselves: by that it says who must refuse whom.
extension Simulation {
    /// An old state of a server's disk, as a backup holds it.
    struct DiskImage {
        var files: [String: [UInt8]]
        var disk: SimulatedDisk
        /// As the disk was.
        var content: ServerShell.Heard
    }

    // MARK: The fault

    /// Copies a disk while its server runs.
    func copyDisk(of id: NodeID) {
        guard phase == .faulty, options.oldImageChance > 0, nodes[id]?.diskImage == nil,
            chance(200), let disk = nodes[id]?.server?.disk, let bytes = disk.bytes,
            bytes.cluster != 0
        else { return }
        let contents = disk.durable
        let entries = UInt64(contents.entries.count)
        let last = LogIndex(rawValue: contents.base.index.rawValue + entries)
        let start = nodes[id]?.start ?? 0
        nodes[id]?.diskImage = DiskImage(
            files: bytes.storage.image,
            disk: disk,
            content: ServerShell.Heard(
                start: start,
                term: contents.hardState.term,
                kept: max(last, disk.newest?.point.index ?? .zero)
            )
        )
    }

    /// Puts an old image back on a stopped server's disk, when every other server can tell.
    func putBackDisk(of id: NodeID, _ disk: inout SimulatedDisk) {
        guard phase == .faulty, chance(options.oldImageChance),
            let image = nodes[id]?.diskImage, canLose(id)
        else { return }
        nodes[id]?.diskImage = nil
        let others = nodes.keys.filter { $0 != id && hasMembers($0) }
        // Who was the only voter elects itself before anybody can object.
        guard others.allSatisfy({ mustRefuse($0, id, image.content) }),
            configuration(of: image.disk.durable).voters != [id]
        else { return }
        if isVerbose { print(now.nanoseconds / 1_000_000, "old image of", id.rawValue) }
        if image.content.start == nodes[id]?.start { counts.presentImages += 1 }
        disk = image.disk
        disk.bytes?.storage.image = image.files
        disk.forgetProcess()
        counts.oldImages += 1
        nodes[id]?.oldContent = image.content
        after(.milliseconds(Int64.random(in: 1500...4000, using: &random)), .retire(id))
    }

    private func configuration(of contents: SimulatedDisk.Contents) -> ClusterConfiguration {
        for entry in contents.entries.reversed() {
            if case .configuration(let configuration) = entry.body { return configuration }
        }
        return contents.snapshot.point.configuration.configuration
    }

    /// Whether a server knows of any members; without them it cannot help anybody.
    private func hasMembers(_ id: NodeID) -> Bool {
        nodes[id]?.server?.raft.configuration.members.isEmpty == false
    }

    /// Whether a server knows, on its own disk, more of another disk than is in an image of it.
    private func mustRefuse(_ id: NodeID, _ peer: NodeID, _ image: ServerShell.Heard) -> Bool {
        guard let heard = nodes[id]?.shell.heardForGood[peer] else { return false }
        // A copy may have been taken while a later state was on its way to the disk.
        return heard.start > image.start || heard.term.rawValue > image.term.rawValue + 2
            || heard.kept.rawValue > image.kept.rawValue + 40
    }

    /// Whether a server runs on an old image and another one, which takes it in, can tell.
    private func shouldHaveRefused(_ id: NodeID, _ peer: NodeID) -> Bool {
        nodes[peer]?.oldContent.map { mustRefuse(id, peer, $0) } ?? false
    }

    /// An operator notices what no server has.
    func retire(_ id: NodeID) {
        guard nodes[id]?.isOld == true else { return }
        replace(id)
    }

    // MARK: Who is spoken to

    func greeting(of id: NodeID) -> Greeting {
        let bytes = nodes[id]?.server?.disk.bytes
        return Greeting(cluster: bytes?.cluster ?? 0, start: bytes?.start)
    }

    /// Whether both servers would take the connection, by the rules of the handshake.
    func admits(_ id: NodeID, from peer: NodeID, _ greeting: Greeting) -> Bool {
        guard let bytes = nodes[id]?.server?.disk.bytes, let start = greeting.start,
            let ownStart = bytes.start
        else { return false }
        guard isOfOneCluster(id, bytes, greeting) else { return false }
        // A letter may be from before its sender stopped.
        let isOfThisStart = start == nodes[peer]?.server?.disk.bytes?.start
        if !options.environment.contains(.ignoresMarks) {
            if let objection = objection(of: id, to: peer, start) {
                if isOfThisStart { outdated(peer, accordingTo: id, objection) }
                return false
            }
            if isOfThisStart, let objection = objection(of: peer, to: id, ownStart) {
                outdated(id, accordingTo: peer, objection)
                return false
            }
        }
        if isOfThisStart, shouldHaveRefused(id, peer) || shouldHaveRefused(peer, id) {
            checker.report(.durability, "a server on an old disk image takes part")
        }
        return remember(start, of: peer, at: id, isNews: isOfThisStart)
    }

    private func isOfOneCluster(_ id: NodeID, _ bytes: ByteLog, _ greeting: Greeting) -> Bool {
        guard !options.environment.contains(.ignoresClusterID) else {
            return bytes.cluster != 0 || greeting.cluster != 0
        }
        guard greeting.cluster != 0 else { return false }
        if bytes.cluster == 0 {
            do throws(DurableLogError) {
                try bytes.adopt(cluster: greeting.cluster)
            } catch {
                end(id, because: error)
                return false
            }
        }
        return bytes.cluster == greeting.cluster
    }

    /// What a server has against another one's disk.
    private func objection(of id: NodeID, to peer: NodeID, _ start: ServerStart) -> String? {
        observe(peer, at: id)
        guard let mark = nodes[id]?.shell.marks[peer], mark.birth == start.openings.birth else {
            return nil
        }
        var start = start
        if options.environment.contains(.trustsLastOpening) {
            start.term = max(start.term, mark.term)
            start.last = max(start.last, mark.kept, mark.acknowledged)
        }
        return mark.objection(to: start)
    }

    /// A server is told that its disk is old: it ends, and another one takes its place.
    private func outdated(_ id: NodeID, accordingTo peer: NodeID, _ objection: String) {
        counts.refusedStarts += 1
        guard nodes[id]?.isOld == true else {
            let names = "server \(id.rawValue) is refused by \(peer.rawValue)"
            return checker.report(.durability, "\(names) though its disk is whole: \(objection)")
        }
        if nodes[peer]?.isOld != true { replace(id) }
    }

    // MARK: What is remembered

    /// Remembers an opening on disk before anything that its server says is heard.
    private func remember(
        _ start: ServerStart,
        of peer: NodeID,
        at id: NodeID,
        isNews: Bool
    ) -> Bool {
        // What an observer sees.
        if isNews, let count = nodes[peer]?.start {
            nodes[id]?.shell.heard[peer, default: ServerShell.Heard()].start = count
        }
        guard var mark = nodes[id]?.shell.marks[peer] else {
            nodes[id]?.shell.marks[peer] = ServerMark(start)
            return storeMarks(id)
        }
        guard mark.follow(start) else { return true }
        nodes[id]?.shell.marks[peer] = mark
        return storeMarks(id)
    }

    /// Puts on disk what a server remembers; false when that ended it.
    @discardableResult
    private func storeMarks(_ id: NodeID) -> Bool {
        guard let shell = nodes[id]?.shell, shell.marks != shell.stored,
            let bytes = nodes[id]?.server?.disk.bytes
        else { return true }
        do throws(DurableLogError) {
            try bytes.remember(shell.marks)
        } catch {
            end(id, because: error)
            return false
        }
        nodes[id]?.shell.stored = shell.marks
        nodes[id]?.shell.heardForGood = shell.heard
        return true
    }

    /// Takes note of what a server has acknowledged to this one.
    private func observe(_ peer: NodeID, at id: NodeID) {
        guard let raft = nodes[id]?.server?.raft else { return }
        if raft.isLeader, let match = raft.leading.progress(of: peer)?.match, match > .zero {
            nodes[id]?.shell.marks[peer]?.raise(
                term: raft.term,
                acknowledged: match,
                kept: min(match, raft.log.commit)
            )
        } else if raft.leader == peer {
            nodes[id]?.shell.marks[peer]?.raise(
                term: raft.term,
                acknowledged: .zero,
                kept: .zero
            )
        }
    }

    /// A server tells the others what is on its disk, and writes down what it knows of them.
    func tellStanding(_ id: NodeID) {
        after(.milliseconds(Int64.random(in: 150...400, using: &random)), .tell(id))
        guard let server = nodes[id]?.server, server.disk.bytes?.cluster ?? 0 != 0 else { return }
        do throws(DurableLogError) {
            try server.disk.bytes?.scrub()
        } catch {
            return end(id, because: error)
        }
        if chance(3000) {
            for peer in nodes.keys.sorted() where peer != id { observe(peer, at: id) }
            guard storeMarks(id) else { return }
        }
        let log = server.raft.log
        let standing = ServerShell.Heard(
            start: nodes[id]?.start ?? 0,
            term: server.disk.durable.hardState.term,
            kept: min(log.stable, log.commit)
        )
        guard nodes[id]?.shell.told != standing || chance(2000) else { return }
        nodes[id]?.shell.told = standing
        for peer in nodes.keys.sorted() where peer != id {
            let letter = RaftMessage(
                from: id,
                to: peer,
                term: server.raft.term,
                body: .readRequest(id: 0)
            )
            for time in network.arrivals(of: letter, now: now, using: &random) {
                at(time, .standing(standing, from: id, to: peer, greeting(of: id)))
            }
        }
    }

    func hear(_ standing: ServerShell.Heard, of peer: NodeID, at id: NodeID) {
        nodes[id]?.shell.marks[peer]?.raise(
            term: standing.term,
            acknowledged: .zero,
            kept: standing.kept
        )
        guard var heard = nodes[id]?.shell.heard[peer] else { return }
        heard.start = max(heard.start, standing.start)
        heard.term = max(heard.term, standing.term)
        heard.kept = max(heard.kept, standing.kept)
        nodes[id]?.shell.heard[peer] = heard
    }
}

extension ServerShell {
    /// What was on a server's disk.
    struct Heard: Hashable {
        /// The count of its start.
        var start = 0
        var term = Term.zero
        /// Committed entries.
        var kept = LogIndex.zero
    }
}
