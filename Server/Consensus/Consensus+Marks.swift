import Logging
import Model
import RPC
import Raft

/// What this server remembers of the others, so that none comes back with an old disk.
struct MarkBook {
    var marks: [NodeID: ServerMark]
    /// What of it is on this server's disk, or on its way there.
    var stored: [NodeID: ServerMark]
    /// The openings that are on this server's disk, by their numbers.
    private var openings: [NodeID: UInt128]
    /// What servers sent whose present opening is not on this server's disk yet.
    private var held: [NodeID: [PeerMessage]] = [:]
    /// What the others were last told of this server's own disk.
    var told: Standing?

    /// What this server has on its disk.
    struct Standing: Hashable, Sendable {
        var term: Term
        var kept: LogIndex
    }

    /// Messages of one server that wait for the disk; further ones are dropped, as a full lane
    /// drops them.
    static let heldMessages = 10_000

    init(_ marks: [NodeID: ServerMark]) {
        self.marks = marks
        stored = marks
        openings = marks.mapValues(\.number)
    }

    /// Whether what a server sends may have consequences: its opening survives a crash here.
    func mayHear(_ peer: NodeID) -> Bool {
        marks[peer].map { $0.number == openings[peer] } ?? true
    }

    mutating func hold(_ messages: [PeerMessage], of peer: NodeID) {
        guard held[peer, default: []].count < MarkBook.heldMessages else { return }
        held[peer, default: []] += messages
    }

    /// These marks are on disk; gives what waited for that.
    mutating func didStore(_ marks: [NodeID: ServerMark]) -> [(NodeID, [PeerMessage])] {
        openings = marks.mapValues(\.number)
        let ready = held.keys.filter { mayHear($0) }.sorted()
        return ready.map { ($0, held.removeValue(forKey: $0) ?? []) }
    }

    /// Forgets servers that are no members, or were none in between: they may come anew.
    mutating func forget(whoLeftIn configurations: [PlacedConfiguration]) {
        marks = marks.filter { id, _ in
            var wasMember = false
            for placed in configurations {
                let isMember = placed.configuration.member(id) != nil
                if wasMember, !isMember { return false }
                wasMember = isMember
            }
            return wasMember
        }
    }
}

/// Old disks: who is refused for what is remembered, and what is remembered.
extension Consensus {
    func transport(
        _ transport: PeerTransport,
        objectsTo greeting: ServerGreeting
    ) -> GreetingAnswer? {
        guard cluster != 0, greeting.server != settings.id else { return nil }
        observe(greeting.server)
        guard let mark = book.marks[greeting.server] else { return nil }
        let name = name(of: greeting.server)
        guard greeting.start.openings.birth == mark.birth else {
            let isKnown = greeting.configuration <= raft.log.configuration.index
            guard raft.configuration.member(greeting.server) != nil, isKnown else {
                // It has left meanwhile, and begins anew.
                book.marks[greeting.server] = nil
                return nil
            }
            return .refused(
                """
                server \(name) is a member of this cluster, but not with this data directory: \
                with another log it has forgotten how it voted. Start it with the directory that \
                it had, or with a new node id, or remove it from the cluster first
                """
            )
        }
        return mark.objection(to: greeting.start).map { objection in
            .outdated("an old image of the disk of server \(name) was put back: \(objection)")
        }
    }

    func transport(
        _ transport: PeerTransport,
        isOutdated reason: String,
        accordingTo peer: NodeID
    ) {
        guard !isStopped else { return }
        fail(
            """
            \(settings.directory): \(name(of: peer)) refuses this server: \(reason). On this disk \
            it may vote twice, and what it helped to commit may be missing. Put back the newest \
            state of the directory, or set the data directory aside and start with an empty one \
            and a new node id: the cluster then sends everything
            """
        )
    }

    /// Remembers the opening that a server greets with, before anything it says is heard.
    func remember(_ greeting: ServerGreeting) {
        guard cluster != 0, greeting.cluster == cluster, greeting.server != settings.id,
            greeting.start.openings.count > 0
        else { return }
        if book.marks[greeting.server]?.follow(greeting.start) == nil {
            book.marks[greeting.server] = ServerMark(greeting.start)
        }
        book.told = nil
        if !book.mayHear(greeting.server) { storeMarks() }
    }

    /// Hears messages of a server, at once or when its opening is remembered on disk.
    func hear(_ messages: [PeerMessage], of peer: NodeID) {
        guard book.mayHear(peer) else { return book.hold(messages, of: peer) }
        receive(messages, from: peer)
    }

    /// Takes note of what a server has acknowledged to this one.
    func observe(_ peer: NodeID) {
        if raft.isLeader, let match = raft.leading.progress(of: peer)?.match, match > .zero {
            let kept = min(match, raft.log.commit)
            book.marks[peer]?.raise(term: raft.term, acknowledged: match, kept: kept)
        } else if raft.leader == peer {
            book.marks[peer]?.raise(term: raft.term, acknowledged: .zero, kept: .zero)
        }
    }

    /// Puts on disk what is remembered, if it has changed.
    func storeMarks() {
        guard !isStopped, book.marks != book.stored else { return }
        let marks = book.marks
        book.stored = marks
        let stored = callback { (consensus, _: Void) in consensus.didStore(marks) }
        disk.enqueue(.remember(marks, done: { stored(()) }))
    }

    private func didStore(_ marks: [NodeID: ServerMark]) {
        guard !isStopped else { return }
        for (peer, messages) in book.didStore(marks) { receive(messages, from: peer) }
    }

    /// Follows changes of the members, in the order of the log.
    func noteMembersLeft() {
        book.forget(whoLeftIn: raft.log.configurations)
        // Who greeted before the log named it.
        for member in raft.configuration.members where book.marks[member.id] == nil {
            guard let greeting = greetings[member.id], transport.isOpen(.priority, to: member.id)
            else { continue }
            remember(greeting)
        }
        storeMarks()
    }

    /// A snapshot has replaced the log: servers may have left and begun anew in what it skipped.
    func noteMembersSkipped() {
        book.marks = book.marks.filter { id, _ in transport.isOpen(.priority, to: id) }
        storeMarks()
    }

    /// Tells the others now and then what is on this server's disk, if that has changed.
    func tellStanding() {
        let standing = MarkBook.Standing(
            term: raft.term,
            kept: min(raft.log.stable, raft.log.commit)
        )
        guard cluster != 0, standing != book.told else { return }
        book.told = standing
        let synced = callback { (consensus, _: Void) in consensus.send(standing) }
        // Behind the term, which may be on its way to the disk.
        disk.enqueue(.write([], commit: .zero, done: { synced(()) }))
    }

    private func send(_ standing: MarkBook.Standing) {
        guard !isStopped else { return }
        for id in raft.configuration.everyone where id != settings.id {
            transport.send(.standing(standing.term, kept: standing.kept), to: id)
        }
        transport.flush()
    }
}
