import DurableLog
import Model
import Raft
import StateMachine
import StateStore

final class SnapshotKeeper: Sendable {
    struct Newest: Sendable { let stored: StoredSnapshot; let machine: StateMachine }
    let newest: Newest? = nil
    static func open(
        _ p: String,
        server: NodeID,
        storeLimits: StateStoreLimits,
        wallClock: @escaping @Sendable () -> Timestamp,
        fail: @escaping @Sendable (String) -> Never
    ) async throws -> SnapshotKeeper { SnapshotKeeper() }
}
extension Consensus {
    func send(_ t: SnapshotTransfer) {}
    func takeSnapshotWhenDue() {}
    func superviseServers() {}
    var health: [ServerHealth] { [] }
}
import Replica
import RPC
extension Consensus {
    func transport(
        _ transport: PeerTransport,
        offered offer: SnapshotOffer,
        from peer: NodeID
    ) -> SnapshotReception { .refused("x") }
}
