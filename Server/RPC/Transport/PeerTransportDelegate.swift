package import Raft

/// What the transport asks and tells the shell; every call is on the transport's event loop.
///
/// Nothing here is called from within `send`, `flush`, `setPeers` or `stop`.
package protocol PeerTransportDelegate: AnyObject {
    /// Messages of one peer, in the order in which it sent them over the lane: all of one read.
    func transport(
        _ transport: PeerTransport,
        received messages: [PeerMessage],
        from peer: NodeID
    )

    /// How a server that has dialled or was dialled is refused for what is known of its disk; nil
    /// when it is not.
    func transport(
        _ transport: PeerTransport,
        objectsTo greeting: ServerGreeting
    ) -> GreetingAnswer?

    /// A peer says that this server runs on an old image of its disk, for this reason.
    func transport(
        _ transport: PeerTransport,
        isOutdated reason: String,
        accordingTo peer: NodeID
    )

    /// Another server has connected: whether it may, and what this one says of itself.
    ///
    /// Another cluster, a wrong id and what `objectsTo` refuses have been refused before.
    func transport(
        _ transport: PeerTransport,
        admits greeting: ServerGreeting,
        for kind: ConnectionKind
    ) -> GreetingAnswer

    /// From now on messages to the peer leave over this lane.
    func transport(
        _ transport: PeerTransport,
        opened lane: PeerLane,
        to peer: NodeID,
        greeting: ServerGreeting
    )

    /// What was sent over the lane may not have arrived; it is dialled again.
    func transport(_ transport: PeerTransport, lost lane: PeerLane, to peer: NodeID)

    /// The lane is full and messages are being dropped; told once until it has drained.
    func transport(_ transport: PeerTransport, drops lane: PeerLane, to peer: NodeID)

    /// A peer would like to send a snapshot.
    func transport(
        _ transport: PeerTransport,
        offered offer: SnapshotOffer,
        from peer: NodeID
    ) -> SnapshotReception
}
