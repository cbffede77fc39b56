import Raft

/// One lane of a peer: gives the shell the messages of each read together.
final class IncomingLane: FrameReceiver {
    let peer: NodeID
    let lane: PeerLane
    private let transport: PeerTransport
    private let own: NodeID
    private var batch: [PeerMessage] = []

    init(peer: NodeID, lane: PeerLane, own: NodeID, transport: PeerTransport) {
        self.peer = peer
        self.lane = lane
        self.own = own
        self.transport = transport
    }

    func connectionOpened(_ connection: PeerConnection) {}

    func receive(
        _ kind: Frame.Kind,
        _ reader: inout PeerReader,
        on connection: PeerConnection
    ) throws(PeerCodecError) {
        if kind == .ping { return connection.send { $0.frame(.pong) } }
        guard kind.isMessage else {
            throw .unknown(what: "frame on a lane", found: Int(kind.rawValue))
        }
        let message = try PeerMessage.decode(kind, &reader, from: peer, to: own)
        try reader.finish()
        batch.append(message)
    }

    func readCompleted(_ connection: PeerConnection) {
        guard !batch.isEmpty else { return }
        var messages: [PeerMessage] = []
        swap(&messages, &batch)
        transport.received(messages, from: peer)
    }

    func connectionEnded(_ connection: PeerConnection, _ reason: ConnectionEnd) {
        readCompleted(connection)
        transport.incomingLaneEnded(self, connection, reason)
    }
}
