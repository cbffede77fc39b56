import Model
import Replica
import StateMachine
import Synchronization

/// A log as a follower has it: it commits what it is given, but what is published is current only
/// when a test says so.
final class FollowerLog: ReplicatedLog {
    private struct State {
        var deliver: Delivery?
        var lastIndex = LogIndex(rawValue: 2)
        var asked: [(requirement: ReadRequirement, call: Answer)] = []
        var leader: LogServer?
        var lastContact = Nanoseconds.zero
        var requests: [LeaderRequest] = []
        var reply = LeaderReply.noLeader
    }

    // SAFETY: called only on the one loop of a test.
    private struct Delivery: @unchecked Sendable {
        let call: (ReplicationEvent) -> Void
    }

    // SAFETY: called only on the one loop of a test.
    private struct Answer: @unchecked Sendable {
        let call: (ProposalError?) -> Void
    }

    let servers: [LogServer]
    let proposer = Proposer(origin: 1, start: 1)
    let gate = ReadGate()
    private let state: Mutex<State>

    init() {
        servers = (1...3).map { number in
            LogServer(
                id: "s\(number)",
                nodeName: "n\(number)",
                address: "10.0.0.\(number):8300",
                isVoter: number < 3
            )
        }
        state = Mutex(State(leader: servers[1]))
    }

    // MARK: What tests do and see

    /// What was asked for and is not answered.
    var asked: [ReadRequirement] {
        state.withLock { $0.asked.map(\.requirement) }
    }

    /// Answers everything that was asked; on the loop.
    func answer(_ error: ProposalError? = nil) {
        let calls = state.withLock { state in
            defer { state.asked = [] }
            return state.asked.map(\.call)
        }
        for answer in calls { answer.call(error) }
    }

    func hear(_ leader: LogServer?, ago lastContact: Nanoseconds) {
        state.withLock { state in
            state.leader = leader
            state.lastContact = lastContact
        }
    }

    /// What the leader is asked for, and what it says.
    func leaderReplies(_ reply: LeaderReply) {
        state.withLock { $0.reply = reply }
    }

    var requests: [LeaderRequest] { state.withLock { $0.requests } }

    // MARK: ReplicatedLog

    func start(deliver: @escaping (ReplicationEvent) -> Void, capture: @escaping () -> StateMachine)
    {
        let delivery = Delivery(call: deliver)
        state.withLock { $0.deliver = delivery }
    }

    func propose(_ entries: [ProposedEntry]) {
        let (delivery, committed) = state.withLock { state in
            let committed = entries.map { entry in
                state.lastIndex = state.lastIndex.next
                return CommittedEntry(index: state.lastIndex, bytes: entry.bytes)
            }
            return (state.deliver, committed)
        }
        guard let last = committed.last?.index else { return }
        delivery?.call(.committed(committed, through: last))
    }

    func applied(through index: LogIndex) {}

    func awaitReadable(
        _ requirement: ReadRequirement,
        completion: @escaping (ProposalError?) -> Void
    ) {
        let answer = Answer(call: completion)
        state.withLock { $0.asked.append((requirement, answer)) }
    }

    func ask(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {
        let reply = state.withLock { state in
            state.requests.append(request)
            return state.reply
        }
        completion(reply)
    }

    func perform(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {
        ask(request, completion: completion)
    }

    func stop(completion: @escaping () -> Void) {
        completion()
    }

    var leadership: Leadership {
        state.withLock { state in
            Leadership(
                leader: state.leader,
                isLeader: false,
                lastContact: state.lastContact,
                servers: servers,
                configurationIndex: LogIndex(rawValue: 1),
                term: 3,
                lastLogIndex: state.lastIndex,
                commitIndex: state.lastIndex
            )
        }
    }
}
