import AsyncHTTPClient
import MusterBalancing
import MusterHTTP
import NIOHTTP1
import NIOSSL
import TLSSupport
import Testing

/// `https` by service name: the certificate is verified against what the instance registered.
@Suite(.timeLimit(.minutes(1)))
struct SecurityTests {
    @Test(arguments: ["127.0.0.1", "localhost"])
    func aCertificateForTheRegisteredAddressOrNameIsAccepted(host: String) async throws {
        let instance = ScriptedInstance(.answer(200))
        let bound = try await instance.start(tls: TestCertificate.localhost.serverContext())
        let endpoint = try #require(ServiceEndpoint(host: host, port: bound.port))
        let tls = try TestCertificate.localhost.clientConfiguration()
        try await withClient {
            $0.tlsConfiguration = tls
        } _: { client in
            let response = try await client.collect(
                HTTPClientRequest(url: "https://payments/"),
                upTo: 10,
                using: balancer([endpoint])
            )
            #expect(response.status == .ok)
            #expect(instance.heads.first?.headers["Host"] == ["payments"])
        }
        try await instance.stop()
    }

    @Test func aCertificateThatNobodyVouchesForIsRefusedAndCountsAgainstTheInstance() async throws {
        let instance = ScriptedInstance(.answer(200))
        let endpoint = try await instance.start(tls: TestCertificate.localhost.serverContext())
        try await withClient { client in
            let outcomes = Outcomes()
            let error = await #expect(throws: HTTPCallError.self) {
                try await client.collect(
                    HTTPClientRequest(url: "https://payments/"),
                    upTo: 10,
                    using: balancer([endpoint]) { $0.recorder = outcomes }
                )
            }
            #expect(error?.code == .unreachable)
            #expect(error?.description.contains("\(endpoint)") == true)
            #expect(outcomes.all == [.failure])
            #expect(instance.heads.isEmpty)
        }
        try await instance.stop()
    }
}
