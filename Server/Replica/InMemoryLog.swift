import Model
import Synchronization

/// The log of one server without peers and without a disk: every proposal is committed at once.
///
/// Nothing is kept after it was delivered, because no peer will ever ask for it; a restart begins
/// with an empty registry.
package final class InMemoryLog: ReplicatedLog {
    private struct State {
        var deliver: Delivery?
        var lastIndex: LogIndex
        var lastStamp = Timestamp(nanosecondsSinceEpoch: 0)
    }

    // SAFETY: called only on the replica's event loop, where it was made: the contract of
    // `ReplicatedLog`.
    private struct Delivery: @unchecked Sendable {
        let call: (LogEvent) -> Void
    }

    /// The entries that forming a cluster of one takes: its configuration, and the leader's first.
    private static let formationEntries: UInt64 = 2

    private let server: LogServer
    private let state: Mutex<State>

    package init(server: LogServer) {
        self.server = server
        state = Mutex(State(lastIndex: LogIndex(rawValue: Self.formationEntries)))
    }

    package func start(deliver: @escaping (LogEvent) -> Void) {
        let delivery = Delivery(call: deliver)
        state.withLock { $0.deliver = delivery }
        deliver(.leadershipChanged(isLeader: true))
    }

    package func propose(_ entries: [ProposedEntry]) {
        guard !entries.isEmpty else { return }
        let (delivery, committed) = state.withLock { state in
            var committed: [CommittedEntry] = []
            committed.reserveCapacity(entries.count)
            for entry in entries {
                state.lastIndex = state.lastIndex.next
                state.lastStamp = max(state.lastStamp, entry.stamp)
                committed.append(
                    CommittedEntry(
                        index: state.lastIndex,
                        stamp: state.lastStamp,
                        payload: entry.payload,
                        proposal: entry.id
                    )
                )
            }
            return (state.deliver, committed)
        }
        delivery?.call(.committed(committed))
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
