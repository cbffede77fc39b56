package import Model
package import Raft

/// A few servers, a network that waits for orders and a clock that stands still: for tests that
/// tell a story step by step.
package struct ScriptedCluster {
    package private(set) var servers: [NodeID: SimulatedServer] = [:]
    /// Messages that were sent and not delivered, in the order sent.
    package var network: [RaftMessage] = []
    /// Snapshots that were asked for and not delivered.
    package var transfers: [(from: NodeID, SnapshotTransfer)] = []
    package var now = Instant(nanoseconds: 1_000_000_000_000)
    package private(set) var answers: [NodeID: [RaftAnswer]] = [:]
    package private(set) var notes: [NodeID: [RaftNote]] = [:]
    /// Servers whose writes wait for `sync`.
    package var slowDisks: Set<NodeID> = []
    private let makeSettings: (NodeID) -> RaftSettings

    package init(
        voters: ClosedRange<Int>,
        learners: [Int] = [],
        joiners: [Int] = [],
        settings: @escaping (NodeID) -> RaftSettings = { RaftSettings(id: $0) }
    ) {
        makeSettings = settings
        var members = voters.map { ClusterMember(id: .number($0), role: .voter) }
        members += learners.map { ClusterMember(id: .number($0), role: .learner) }
        for id in members.map(\.id) + joiners.map(NodeID.number) {
            let own = joiners.contains { .number($0) == id } ? [] : members
            servers[id] = SimulatedServer(
                settings: settings(id),
                members: own,
                seed: UInt64(truncatingIfNeeded: id.rawValue),
                now: now
            )
        }
    }

    package subscript(_ number: Int) -> SimulatedServer {
        guard let server = servers[.number(number)] else {
            preconditionFailure("no server \(number)")
        }
        return server
    }

    package func raft(_ number: Int) -> Raft { self[number].raft }

    package var ids: [NodeID] { servers.keys.sorted() }

    package var leaders: [Int] {
        ids.filter { servers[$0]?.raft.isLeader == true }.map { Int($0.rawValue) }
    }

    /// The answers so far of one server, which are then forgotten.
    package mutating func takeAnswers(_ number: Int) -> [RaftAnswer] {
        answers.removeValue(forKey: .number(number)) ?? []
    }

    // MARK: Steps

    package mutating func input(_ number: Int, _ inputs: RaftInput...) {
        let id = NodeID.number(number)
        guard let output = servers[id]?.step(inputs, now: now) else { return }
        take(output, of: id)
    }

    private mutating func take(_ output: SimulatedServer.Output, of id: NodeID) {
        network += output.messages
        transfers += output.snapshots.map { (from: id, $0) }
        answers[id, default: []] += output.answers
        notes[id, default: []] += output.notes
        if output.hasWritten, !slowDisks.contains(id) { sync(Int(id.rawValue)) }
    }

    /// Finishes all writes of a server.
    package mutating func sync(_ number: Int) {
        let id = NodeID.number(number)
        while let (_, output) = servers[id]?.finishSync(now: now) { take(output, of: id) }
    }

    package mutating func advance(_ duration: Nanoseconds) {
        now = now.advanced(by: duration)
    }

    /// Lets a server's timer fire when it is due.
    package mutating func fireTimer(_ number: Int) {
        if let deadline = raft(number).nextDeadline { now = max(now, deadline) }
        input(number, .timer)
    }

    /// Lets so much time pass that nobody hears a leader, then lets one server campaign.
    package mutating func campaign(_ number: Int) {
        advance(.seconds(2))
        input(number, .timer)
    }

    /// Elects a server with everybody reachable; a first campaign may only learn the term.
    package mutating func elect(_ number: Int) {
        for _ in 0..<3 where !raft(number).isLeader {
            campaign(number)
            settle()
        }
        precondition(raft(number).isLeader, "\(number) was not elected")
    }

    /// Delivers the messages under way, but not what they cause; drops those that `drop` picks.
    package mutating func deliver(dropping drop: (RaftMessage) -> Bool = { _ in false }) {
        let batch = network
        network = []
        for message in batch where !drop(message) {
            input(Int(message.to.rawValue), .message(message))
        }
    }

    /// Delivers messages and snapshots until none are left.
    package mutating func settle(dropping drop: (RaftMessage) -> Bool = { _ in false }) {
        for _ in 0..<10_000 {
            guard !network.isEmpty || !transfers.isEmpty else { return }
            deliver(dropping: drop)
            let batch = transfers
            transfers = []
            for (from, transfer) in batch { deliver(transfer, from: from, dropping: drop) }
        }
        preconditionFailure("the servers never stop talking")
    }

    private mutating func deliver(
        _ transfer: SnapshotTransfer,
        from: NodeID,
        dropping drop: (RaftMessage) -> Bool
    ) {
        let body = RaftMessage.Body.heartbeat(round: 0, commit: .zero)
        let probe = RaftMessage(from: from, to: transfer.peer, term: transfer.term, body: body)
        guard let snapshot = servers[from]?.snapshot, !drop(probe),
            let output = servers[transfer.peer]?.receive(
                snapshot,
                from: from,
                term: transfer.term,
                now: now
            )
        else {
            input(Int(from.rawValue), .snapshotSent(to: transfer.peer, delivered: false))
            return
        }
        take(output, of: transfer.peer)
        input(Int(from.rawValue), .snapshotSent(to: transfer.peer, delivered: true))
    }

    package mutating func propose(_ number: Int, _ values: UInt64...) {
        input(
            number,
            .propose(
                values.map { value in
                    let operation = Operation(id: value, key: 1, kind: .put(value))
                    let token = RequestToken(rawValue: value)
                    return Proposal(token: token, payload: operation.payload(padding: 0))
                }
            )
        )
    }

    package mutating func takeSnapshot(_ number: Int, trailing: UInt64 = 0) {
        let id = NodeID.number(number)
        guard let output = servers[id]?.takeSnapshot(trailing: trailing, now: now) else { return }
        take(output, of: id)
    }

    /// Stops a server without warning and starts it from its disk.
    package mutating func restart(_ number: Int) {
        let id = NodeID.number(number)
        guard var disk = servers[id]?.disk else { return }
        var random = RandomSource(seed: now.nanoseconds)
        disk.crash(using: &random)
        servers[id] = SimulatedServer(
            settings: makeSettings(id),
            disk: disk,
            seed: now.nanoseconds,
            now: now
        )
    }
}

extension NodeID {
    package static func number(_ number: Int) -> NodeID {
        NodeID(rawValue: UInt128(number))
    }
}
