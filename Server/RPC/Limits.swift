package import NIOCore

/// What bounds the connections between servers, and what happens at each bound.
package struct PeerTransportSettings: Sendable {
    /// Bytes of a frame without its head; a peer that announces more is disconnected, and a message
    /// that would need more is not sent.
    package var frameBytes = 16 * 1024 * 1024
    /// Bytes of a frame before the peer is admitted; beyond it the connection ends.
    package var handshakeFrameBytes = 256 * 1024
    /// Bytes of a request or response that still travels in the priority lane.
    package var smallBytes = 4096
    /// Unsent bytes of the priority lane to one peer; at the bound further messages are dropped.
    package var priorityLaneBytes = 1024 * 1024
    /// Unsent bytes of the bulk lane to one peer; at the bound further messages are dropped.
    package var bulkLaneBytes = 16 * 1024 * 1024
    /// Incoming connections that have not been admitted yet; a further one is closed.
    package var pendingConnections = 64
    /// Incoming connections altogether; a further one is closed.
    package var incomingConnections = 512
    /// From dialling to a connection; then it is tried again.
    package var connectTimeout = TimeAmount.seconds(2)
    /// From a connection to a finished handshake; then the connection ends.
    package var handshakeTimeout = TimeAmount.seconds(3)
    /// The first pause before dialling again; it doubles with each failure.
    package var shortestBackoff = TimeAmount.milliseconds(20)
    /// The longest pause before dialling again.
    package var longestBackoff = TimeAmount.seconds(1)
    /// How often an idle lane is asked for a sign of life.
    package var keepaliveInterval = TimeAmount.seconds(1)
    /// Without a sign of life, or without a sent byte being taken; then the connection ends.
    package var keepaliveTimeout = TimeAmount.seconds(3)
    /// Bytes of a snapshot that travel in one frame; heartbeats wait for one on the event loop.
    package var snapshotChunkBytes = 256 * 1024
    /// Bytes of a snapshot that are on their way and not taken by the receiver's sink yet.
    package var snapshotWindowBytes = 1024 * 1024
    /// Bytes of a snapshot that are sent in a second, to each receiver; 0 for no limit.
    package var snapshotBytesPerSecond = 128 * 1024 * 1024
    /// Without progress of a snapshot; then its connection ends.
    package var snapshotTimeout = TimeAmount.seconds(60)
    /// Snapshots being received at the same time; a further one is refused.
    package var incomingSnapshots = 2

    package init() {}
}
