import Model
import NIOCore
import NIOSSL
import RPC
import Raft
import TLSSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct SecurityTests {
    /// Accepts TLS; with `clients`, only of who shows that certificate.
    private func accepting(
        of clients: TestCertificate? = nil,
        named name: String? = nil
    ) throws -> PeerSecurity {
        var security = PeerSecurity()
        security.accepting = PeerSecurity.Accepting(
            context: try TestCertificate.server.serverContext(verifying: clients),
            isRequired: clients != nil,
            clientName: name
        )
        return security
    }

    /// Dials with TLS to who shows `server`.
    private func dialling(
        to server: TestCertificate = .server,
        named name: String? = nil,
        showing own: TestCertificate? = nil
    ) throws -> PeerSecurity {
        var security = PeerSecurity()
        security.dialling = PeerSecurity.Dialling(
            context: try server.clientContext(showing: own, verifiesName: false),
            serverName: name
        )
        return security
    }

    /// Why a server that dials with one security is not heard by one that listens with the other;
    /// nil when it is.
    ///
    /// Waits for the line of the listening side as well, when there is to be one.
    private func refusal(
        dialling: PeerSecurity,
        listening: PeerSecurity,
        line: String? = nil
    ) async throws -> String? {
        let (one, two) = (try await TestServer(1), try await TestServer(2))
        let address = try await two.listen()
        try await two.run { transport, _ in transport.security = listening }
        try await one.run { transport, _ in transport.security = dialling }
        var reason: String?
        do {
            let greeting = try await one.hello(address)
            #expect(greeting.server == two.id)
        } catch {
            reason = "\(error)"
            let admitted = try await two.run { _, core in core.admitted.count }
            #expect(admitted == 0)
        }
        if let line, reason != nil { await two.log.line(with: line) }
        try await one.stop()
        try await two.stop()
        return reason
    }

    @Test func `Lanes and questions work over TLS`() async throws {
        let (one, two) = (try await TestServer(1), try await TestServer(2))
        let address = try await two.listen()
        let (from, to) = (one.id, two.id)
        let (accept, dial) = (try accepting(), try dialling(named: "server.dc1.consul"))
        try await two.run { transport, _ in transport.security = accept }
        try await one.run { transport, _ in
            transport.security = dial
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

    @Test func `A server that accepts TLS accepts connections without it, unless told otherwise`()
        async throws
    {
        let plain = PeerSecurity()
        #expect(try await refusal(dialling: plain, listening: accepting()) == nil)
        #expect(try await refusal(dialling: plain, listening: plain) == nil)
        let reason = try await refusal(
            dialling: plain,
            listening: accepting(of: .localhost),
            line: "it speaks without TLS, and verify_incoming is set here"
        )
        #expect(reason?.contains("connections with TLS only: set verify_outgoing") == true)
    }

    @Test func `A server without certificates says so to who comes with TLS`() async throws {
        let reason = try await refusal(
            dialling: dialling(),
            listening: PeerSecurity(),
            line: "it speaks TLS, and this server has none: set cert_file and key_file"
        )
        #expect(reason != nil)
    }

    @Test func `A server whose certificate another authority signed is not spoken to`()
        async throws
    {
        let reason = try await refusal(
            dialling: dialling(to: .localhost),
            listening: accepting(),
            line: "refused this server's certificate"
        )
        #expect(reason?.contains("none of the authorities of ca_file or ca_path") == true)
    }

    @Test func `A server whose certificate is for another name is not spoken to`() async throws {
        let reason = try await refusal(
            dialling: dialling(named: "server.dc2.consul"),
            listening: accepting()
        )
        // The certificate is for the address that was dialled, and that does not count.
        let wrong = "not for server.dc2.consul, as verify_server_hostname asks, but for server.dc1"
        #expect(reason?.contains(wrong) == true)
    }

    @Test func `Who connects must show a certificate that the right authority signed`()
        async throws
    {
        let listening = try accepting(of: .localhost)
        let known = try dialling(showing: .localhost)
        #expect(try await refusal(dialling: known, listening: listening) == nil)
        let none = try await refusal(
            dialling: dialling(),
            listening: listening,
            line: "the other side sent no certificate, and verify_incoming is set here"
        )
        #expect(none?.contains("set cert_file and key_file here") == true)
        let stranger = try await refusal(
            dialling: dialling(showing: .server),
            listening: listening,
            line: "none of the authorities of ca_file or ca_path has signed it"
        )
        #expect(stranger?.contains("refused this server's certificate") == true)
    }

    @Test func `Who connects must show the certificate of a server, when names are verified`()
        async throws
    {
        let strict = try accepting(of: .localhost, named: "server.dc1.consul")
        let reason = try await refusal(
            dialling: dialling(showing: .localhost),
            listening: strict,
            line: "not for server.dc1.consul, as verify_server_hostname asks, but for localhost"
        )
        #expect(reason?.contains("refused: its certificate is not for") == true)
        let good = try accepting(of: .server, named: "SERVER.dc1.consul")
        #expect(try await refusal(dialling: dialling(showing: .server), listening: good) == nil)
    }

    @Test(arguments: [[], [3]] as [[UInt8]])
    func `TLS begins after Consul's mode byte for it, and without one`(
        _ mode: [UInt8]
    ) async throws {
        let two = try await TestServer(2)
        let address = try await two.listen()
        let security = try accepting()
        try await two.run { transport, _ in transport.security = security }
        // A record that is no greeting of TLS: it answers with a record of its own, an alert.
        let nonsense: [UInt8] = [22, 3, 1, 0, 4, 255, 0, 0, 0]
        let answer = try await RawPeer.exchange(mode + nonsense, with: address)
        #expect(answer.first == 21)
        await two.log.line(with: "TLS failed")
        try await two.stop()
    }

    @Test func `What changes applies to connections that begin after it`() async throws {
        let (one, two) = (try await TestServer(1), try await TestServer(2))
        let address = try await two.listen()
        let to = two.id
        try await one.run { transport, _ in transport.setPeers([to: address]) }
        try await one.waitForLanes(to: to)
        let strict = try accepting(of: .localhost)
        try await two.run { transport, _ in transport.security = strict }
        await #expect(throws: PeerTransportError.self) { try await one.hello(address) }
        try await one.run { transport, core in
            #expect(transport.isOpen(.priority, to: to))
            #expect(transport.isOpen(.bulk, to: to))
        }
        let dial = try dialling(showing: .localhost)
        try await one.run { transport, _ in transport.security = dial }
        #expect(try await one.hello(address).server == to)
        try await one.stop()
        try await two.stop()
    }
}
