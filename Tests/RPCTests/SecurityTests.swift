import Model
import NIOCore
import RPC
import Raft
import Testing

@Suite(.timeLimit(.minutes(1))) struct SecurityTests {
    @Test func `Lanes and questions work over TLS`() async throws {
        let (one, two) = (try await TestServer(1), try await TestServer(2))
        let server = try TestCertificate.serverContext()
        let client = try TestCertificate.clientContext()
        let address = try await two.listen(tls: server)
        let (from, to) = (one.id, two.id)
        try await one.run { transport, _ in
            transport.dialTLS = PeerTLS(context: client)
            transport.setPeers([to: address])
        }
        #expect(try await one.hello(address).server == to)
        try await one.waitForLanes(to: to)
        let message = PeerMessage.request(
            id: 1,
            kind: 2,
            body: [UInt8](repeating: 3, count: 1_000_000)
        )
        try await one.run { transport, _ in
            #expect(transport.send(message, to: to))
            transport.flush()
        }
        try await two.wait { $0.received[from] == [message] }
        try await one.stop()
        try await two.stop()
    }

    @Test func `Without TLS nobody is admitted where TLS is required`() async throws {
        let (one, two) = (try await TestServer(1), try await TestServer(2))
        let address = try await two.listen(tls: try TestCertificate.serverContext())
        await #expect(throws: PeerTransportError.self) { try await one.hello(address) }
        let admitted = try await two.run { _, core in core.admitted.count }
        #expect(admitted == 0)
        // The other way round the stranger is named.
        let client = try TestCertificate.clientContext()
        let open = try await one.listen()
        try await two.run { transport, _ in transport.dialTLS = PeerTLS(context: client) }
        await #expect(throws: PeerTransportError.self) { try await two.hello(open) }
        await one.log.line(with: "TLS, which this port does not serve")
        try await one.stop()
        try await two.stop()
    }
}
