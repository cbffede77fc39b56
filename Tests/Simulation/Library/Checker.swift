package import Model
package import Raft

/// Watches all servers from outside and remembers what must never change.
///
/// After every step it looks at the server that took it; what it compares with was seen on others.
package struct Checker {
    private struct Place: Hashable {
        var index: LogIndex
        var term: Term
    }

    private struct Vote: Hashable {
        var voter: NodeID
        var term: Term
    }

    private struct Seen {
        var term = Term.zero
        var commit = LogIndex.zero
        var isLeader = false
    }

    private var leaders: [Term: NodeID] = [:]
    private var votes: [Vote: NodeID] = [:]
    /// Hash of each entry and the term before it: by the log matching property both are fixed.
    private var entries: [Place: (hash: UInt64, previous: Term)] = [:]
    /// The term of every entry that any server has called committed; position 0 is index 0.
    package private(set) var committed: [Term] = [.zero]
    /// In which term the last of them was committed, at the latest.
    private var lastCommitTerm = Term.zero
    /// The configurations that any committed entry set.
    private var digests: [LogIndex: Digest] = [:]
    private var seen: [NodeID: Seen] = [:]
    package private(set) var violation: (Violation.Property, String)?
    /// Whether any leader was ever in office.
    package private(set) var leaderCount = 0

    package init() {}

    package var lastCommitted: LogIndex { LogIndex(rawValue: UInt64(committed.count - 1)) }

    package mutating func report(_ property: Violation.Property, _ message: String) {
        if violation == nil { violation = (property, message) }
    }

    /// A server starts again: what is volatile may go back, the term on its disk may not.
    package mutating func didRestart(_ server: SimulatedServer) {
        let before = seen[server.id]?.term
        seen[server.id] = Seen(term: server.raft.term, commit: .zero, isLeader: false)
        // Terms that never left the server may be lost in a crash; votes are checked when sent.
        if let before, server.raft.term > before {
            report(.termIsMonotonic, "a term out of nowhere")
        }
    }

    package mutating func observe(
        _ server: SimulatedServer,
        _ output: SimulatedServer.Output,
        disks: (NodeID) -> SimulatedDisk?
    ) {
        var last = seen[server.id] ?? Seen()
        let raft = server.raft
        for write in output.writes { check(write, of: server) }
        for message in output.messages { check(message) }
        if raft.term < last.term { report(.termIsMonotonic, "\(name(server.id)) went back") }
        if raft.log.commit < last.commit {
            report(.commitIsMonotonic, "\(name(server.id)) from \(last.commit.rawValue)")
        }
        if raft.log.commit > raft.log.lastIndex {
            report(.appliedIsCommitted, "\(name(server.id)) commits beyond its log")
        }
        if raft.log.applied > raft.log.commit {
            report(.appliedIsCommitted, "\(name(server.id)) applied too much")
        }
        let position = LogPosition(
            index: raft.log.applied,
            term: raft.log.term(at: raft.log.applied) ?? .zero
        )
        let isRestored = raft.log.applied <= raft.log.snapshot.index
        if !isRestored, !server.disk.isDurable(position) {
            report(.appliedIsDurable, "\(name(server.id)) applied what it may lose")
        }
        if violation == nil, raft.log.commit > last.commit {
            checkCommit(server, from: last.commit, disks: disks)
        }
        if raft.isLeader, raft.log.commit > last.commit,
            raft.log.term(at: raft.log.commit) != raft.term
        {
            // Raft §5.4.2, figure 8.
            report(.commitsOwnTerm, "\(name(server.id)) counts entries of an earlier term")
        }
        if output.writes.contains(where: Checker.concernsMembers) { checkConfiguration(server) }
        if raft.isLeader, !last.isLeader || raft.term != last.term { checkLeader(raft) }
        if raft.isLeader { checkLimits(raft) }
        checkState(server)
        last = Seen(term: raft.term, commit: raft.log.commit, isLeader: raft.isLeader)
        seen[server.id] = last
    }

    // MARK: Properties

    /// - Source: Raft figure 3, log matching.
    private mutating func check(_ write: LogWrite, of server: SimulatedServer) {
        guard case .append(let new) = write else { return }
        var previous: Term?
        for entry in new {
            let before =
                previous ?? server.raft.log.term(at: LogIndex(rawValue: entry.index.rawValue - 1))
            previous = entry.term
            var digest = Digest()
            switch entry.body {
            case .noop: digest.mix(1)
            case .command(let payload): for byte in payload.prefix(34) { digest.mix(UInt64(byte)) }
            case .configuration(let configuration):
                for member in configuration.members { digest.mix(UInt64(member.id.rawValue)) }
            }
            let place = Place(index: entry.index, term: entry.term)
            if let known = entries[place] {
                if known.hash != digest.value || (before != nil && before != known.previous) {
                    report(.logMatching, "two entries \(entry.index.rawValue) of one term")
                }
            } else if let before {
                entries[place] = (digest.value, before)
            }
        }
    }

    /// - Source: Raft §5.2: each server votes for at most one candidate in a term.
    private mutating func check(_ message: RaftMessage) {
        guard case .voteResponse(granted: true) = message.body else { return }
        let vote = Vote(voter: message.from, term: message.term)
        if let before = votes[vote], before != message.to {
            report(.voteOnce, "\(name(message.from)) voted twice in term \(message.term.rawValue)")
        }
        votes[vote] = message.to
    }

    /// - Source: Raft figure 3, election safety and leader completeness.
    private mutating func checkLeader(_ raft: Raft) {
        leaderCount += 1
        if let other = leaders[raft.term], other != raft.id {
            report(.electionSafety, "two leaders of term \(raft.term.rawValue)")
        }
        leaders[raft.term] = raft.id
        let index = lastCommitted
        // A leader of an earlier term that does not know yet that it is none is no contradiction.
        guard index > raft.log.base.index, raft.term > lastCommitTerm else { return }
        if raft.log.term(at: index) != committed[committed.count - 1] {
            report(.leaderCompleteness, "\(name(raft.id)) lacks entry \(index.rawValue)")
        }
    }

    /// - Source: Raft figure 3, state machine safety.
    private mutating func checkCommit(
        _ server: SimulatedServer,
        from before: LogIndex,
        disks: (NodeID) -> SimulatedDisk?
    ) {
        let log = server.raft.log
        var index = max(before.rawValue, log.base.index.rawValue)
        if before < log.base.index { index -= 1 }
        while index < log.commit.rawValue {
            index += 1
            guard let term = log.term(at: LogIndex(rawValue: index)) else { continue }
            if index < UInt64(committed.count) {
                if committed[Int(index)] != term {
                    report(.stateMachineSafety, "entry \(index) is committed twice")
                }
            } else if index == UInt64(committed.count) {
                committed.append(term)
                lastCommitTerm = server.raft.term
                let position = LogPosition(index: LogIndex(rawValue: index), term: term)
                checkDurable(position, server, disks: disks)
            } else {
                report(.stateMachineSafety, "entry \(index) committed after a gap")
            }
        }
    }

    /// A committed entry is on the disks of a majority, at the latest now.
    private mutating func checkDurable(
        _ position: LogPosition,
        _ server: SimulatedServer,
        disks: (NodeID) -> SimulatedDisk?
    ) {
        let holds = server.raft.configuration.reached { id -> Int in
            // A disk that was lost later held it when it was counted.
            disks(id)?.isDurable(position) != false ? 1 : 0
        }
        if holds != 1 {
            report(.commitIsDurable, "entry \(position.index.rawValue) is on too few disks")
        }
    }

    private static func concernsMembers(_ write: LogWrite) -> Bool {
        switch write {
        case .truncate, .reset: true
        case .append(let entries):
            entries.contains { entry in
                if case .configuration = entry.body { return true }
                return false
            }
        default: false
        }
    }

    /// - Source: Raft §6: a server uses the latest configuration in its log.
    private mutating func checkConfiguration(_ server: SimulatedServer) {
        let contents = server.disk.visible
        var latest = contents.snapshot.point.configuration.configuration
        for entry in contents.entries where entry.index > contents.snapshot.point.index {
            if case .configuration(let configuration) = entry.body { latest = configuration }
        }
        if latest != server.raft.configuration {
            report(.configurationIsInLog, "\(name(server.id)) has other members than its log")
        }
    }

    private mutating func checkLimits(_ raft: Raft) {
        let limits = raft.settings.limits
        for follower in raft.leading.followers
        where follower.appendsInFlight > limits.appendsInFlight
            || follower.bytesInFlight > limits.bytesInFlight + limits.bytesPerAppend
        {
            report(.boundedMemory, "too much under way to \(name(follower.id))")
        }
        let uncommitted = raft.leading.uncommittedBytes
        if uncommitted > limits.uncommittedBytes + limits.proposalBytes {
            report(.boundedMemory, "\(uncommitted) bytes uncommitted")
        }
    }

    /// Equal logs make equal states.
    private mutating func checkState(_ server: SimulatedServer) {
        let machine = server.machine
        if let known = digests[machine.applied] {
            if known != machine.digest {
                report(.stateMachineSafety, "states differ at \(machine.applied.rawValue)")
            }
        } else {
            digests[machine.applied] = machine.digest
        }
    }

    private func name(_ id: NodeID) -> String {
        "server \(id.rawValue)"
    }
}
