import Model
import Raft
import Simulation

/// One server among silent peers: the test speaks for all the others.
struct Subject {
    var server: SimulatedServer
    var now = Instant(nanoseconds: 1_000_000_000_000)
    var sent: [RaftMessage] = []
    var notes: [RaftNote] = []
    let id = NodeID.number(1)

    /// A server of a cluster of `count`, with a log whose entries have the given terms.
    init(count: Int = 3, terms: [UInt64] = [], term: UInt64? = nil, votedFor: Int? = nil) {
        let members = (1...count).map { ClusterMember(id: .number($0), role: .voter) }
        let first = PlacedConfiguration(
            index: .zero,
            configuration: ClusterConfiguration(members: members)
        )
        let point = SnapshotPoint(position: .zero, configuration: first)
        var disk = SimulatedDisk(snapshot: .init(point: point, machine: KeyValueMachine()))
        var contents = disk.durable
        contents.entries = terms.enumerated().map { offset, term in
            Entry(index: .at(UInt64(offset + 1)), term: Term(rawValue: term), body: .noop)
        }
        contents.hardState = HardState(
            term: Term(rawValue: term ?? terms.last ?? 0),
            votedFor: votedFor.map(NodeID.number)
        )
        disk.restore(contents)
        server = SimulatedServer(settings: RaftSettings(id: id), disk: disk, seed: 1, now: now)
    }

    var raft: Raft { server.raft }

    mutating func step(_ inputs: RaftInput...) {
        take(server.step(inputs, now: now))
        while let (_, output) = server.finishSync(now: now) { take(output) }
    }

    private mutating func take(_ output: SimulatedServer.Output) {
        sent += output.messages
        notes += output.notes
    }

    /// A message of server `from`, in `term`.
    mutating func receive(_ body: RaftMessage.Body, from: Int, term: UInt64) {
        let message = RaftMessage(
            from: .number(from),
            to: id,
            term: Term(rawValue: term),
            body: body
        )
        step(.message(message))
    }

    /// What was sent since the last call.
    mutating func takeSent() -> [RaftMessage] {
        defer { sent = [] }
        return sent
    }

    mutating func pass(_ duration: Nanoseconds) {
        now = now.advanced(by: duration)
    }

    /// Lets the election timeout pass and wins the pre-vote; the server is then a candidate.
    mutating func campaign() {
        pass(.seconds(2))
        step(.timer)
        let next = raft.term.rawValue + 1
        for peer in raft.configuration.voters where peer != id && raft.role == .preCandidate {
            receive(.preVoteResponse(granted: true), from: Int(peer.rawValue), term: next)
        }
    }

    /// Campaigns and wins.
    mutating func lead() {
        campaign()
        for peer in raft.configuration.voters where peer != id && raft.role == .candidate {
            let term = raft.term.rawValue
            receive(.voteResponse(granted: true), from: Int(peer.rawValue), term: term)
        }
    }

    mutating func append(
        after previous: (index: UInt64, term: UInt64),
        terms: [UInt64],
        commit: UInt64 = 0,
        from: Int = 2,
        in term: UInt64
    ) {
        let entries = terms.enumerated().map { offset, term in
            let index = previous.index + UInt64(offset) + 1
            return Entry(index: .at(index), term: Term(rawValue: term), body: .noop)
        }
        let append = RaftMessage.Append(
            previous: LogPosition(index: .at(previous.index), term: Term(rawValue: previous.term)),
            entries: entries,
            commit: .at(commit)
        )
        receive(.append(append), from: from, term: term)
    }

    /// The terms of the log.
    var logTerms: [UInt64] {
        var terms: [UInt64] = []
        var index: UInt64 = 1
        while index <= raft.log.lastIndex.rawValue {
            terms.append(raft.log.term(at: .at(index))?.rawValue ?? 0)
            index += 1
        }
        return terms
    }
}

extension LogIndex {
    static func at(_ index: UInt64) -> LogIndex {
        LogIndex(rawValue: index)
    }
}
