package import NIOCore
package import Raft
import Logging

extension PeerTransport {
    /// Sends a snapshot over a connection of its own; succeeds when the peer has installed it.
    ///
    /// The peer says from where on it needs the bytes: an attempt that failed is resumed by calling
    /// this again with the same offer. The source is closed in any case.
    ///
    /// Errors: `PeerTransportError`.
    package func sendSnapshot(
        _ offer: SnapshotOffer,
        from source: any SnapshotSource,
        to peer: NodeID
    ) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        guard !isStopped, let address = address(of: peer) else {
            source.close()
            promise.fail(PeerTransportError.unavailable("\(peer.text) is no peer"))
            return promise.futureResult
        }
        guard offer.metadata.count <= SnapshotOffer.greatestMetadataBytes else {
            source.close()
            promise.fail(PeerTransportError.failed("the snapshot's metadata are too large"))
            return promise.futureResult
        }
        let sender = SnapshotSender(
            transport: self,
            peer: peer,
            offer: offer,
            source: source,
            promise: promise
        )
        let connection = PeerConnection(receiver: sender, frameLimit: settings.handshakeFrameBytes)
        connections[ObjectIdentifier(connection)] = connection
        senders[ObjectIdentifier(connection)] = sender
        dial(address, connection)
        return promise.futureResult
    }

    func senderEnded(_ connection: PeerConnection) {
        senders[ObjectIdentifier(connection)] = nil
        callEnded(connection)
    }

    /// Begins to receive: a newer connection of a peer takes the older one's place.
    func receiveSnapshot(over connection: PeerConnection, from peer: NodeID) {
        receivers[peer]?.connection.end(.ended("the same server has connected anew"))
        let receiver = SnapshotReceiver(peer: peer, connection: connection, transport: self)
        connection.frameLimit = settings.frameBytes
        connection.receiver = receiver
        receivers[peer] = receiver
    }

    func receiverEnded(_ receiver: SnapshotReceiver, _ reason: ConnectionEnd) {
        if receivers[receiver.peer] === receiver { receivers[receiver.peer] = nil }
        connections[ObjectIdentifier(receiver.connection)] = nil
        let text = "The snapshot connection of \(receiver.peer.text) ended: \(reason)"
        if case .garbage = reason { logger.error("\(text)") } else { logger.info("\(text)") }
    }

    /// Looks after the transfers both ways.
    func tickSnapshots(_ now: NIODeadline) {
        for sender in Array(senders.values) { sender.tick(now) }
        for receiver in Array(receivers.values) { receiver.tick(now) }
    }
}
