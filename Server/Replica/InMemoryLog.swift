package import Model
package import StateMachine
import Synchronization

/// The log of one server without peers and without a disk: every proposal is committed at once.
///
/// Nothing is kept after it was delivered, because no peer will ever ask for it; a restart begins
/// with an empty registry.
package final class InMemoryLog: ReplicatedLog {
    private struct State {
        var deliver: Delivery?
        var lastIndex: LogIndex
    }

    // SAFETY: called only on the replica's event loop, where it was made: the contract of
    // `ReplicatedLog`.
    private struct Delivery: @unchecked Sendable {
        let call: (ReplicationEvent) -> Void
    }

    /// The entries that forming a cluster of one takes: its configuration, and the leader's first.
    private static let formationEntries: UInt64 = 2

    private let server: LogServer
    private let state: Mutex<State>
    package let proposer = Proposer(origin: 0, start: 1)
    package let gate = ReadGate()

    package init(server: LogServer) {
        self.server = server
        state = Mutex(State(lastIndex: LogIndex(rawValue: Self.formationEntries)))
    }

    package func start(
        deliver: @escaping (ReplicationEvent) -> Void,
        capture: @escaping () -> StateMachine
    ) {
        let delivery = Delivery(call: deliver)
        state.withLock { $0.deliver = delivery }
        gate.setLease(Instant(nanoseconds: .max))
        deliver(.leadershipChanged(isLeader: true))
    }

    package func propose(_ entries: [ProposedEntry]) {
        guard !entries.isEmpty else { return }
        let (delivery, committed) = state.withLock { state in
            var committed: [CommittedEntry] = []
            committed.reserveCapacity(entries.count)
            for entry in entries {
                state.lastIndex = state.lastIndex.next
                committed.append(CommittedEntry(index: state.lastIndex, bytes: entry.bytes))
            }
            return (state.deliver, committed)
        }
        guard let last = committed.last?.index else { return }
        gate.setCommitted(last)
        delivery?.call(.committed(committed, through: last))
    }

    package func applied(through index: LogIndex) {
        gate.setApplied(index)
    }

    package func awaitReadable(
        _ requirement: ReadRequirement,
        completion: @escaping (ProposalError?) -> Void
    ) {
        completion(nil)
    }

    package func ask(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {
        completion(.noLeader)
    }

    package func perform(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {
        switch request {
        case .renewSession: completion(.notFound)
        case .removeServer(let selector):
            completion(
                server.matches(selector)
                    ? .failed("removing the only server would leave no voters") : .notFound
            )
        case .transferLeadership: completion(.failed("cannot find peer"))
        case .serverHealth:
            let leadership = leadership
            let health = ServerHealth(
                server: server,
                lastContact: .zero,
                lastTerm: leadership.term,
                lastIndex: leadership.lastLogIndex,
                isLeader: true,
                isHealthy: true,
                stableSince: Timestamp(nanosecondsSinceEpoch: 0)
            )
            completion(.health([health]))
        }
    }

    package func stop(completion: @escaping () -> Void) {
        gate.setLease(nil)
        completion()
    }

    package var leadership: Leadership {
        let lastIndex = state.withLock { $0.lastIndex }
        return Leadership(
            leader: server,
            isLeader: true,
            lastContact: .zero,
            servers: [server],
            configurationIndex: LogIndex(rawValue: 1),
            term: Self.formationEntries,
            lastLogIndex: lastIndex,
            commitIndex: lastIndex
        )
    }
}

extension LogServer {
    /// Whether this is the server that is meant.
    package func matches(_ selector: ServerSelector) -> Bool {
        switch selector {
        case .id(let id): self.id == id
        case .address(let address): self.address == address
        }
    }
}
