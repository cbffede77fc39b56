import AsyncHTTPClient
import Logging
import MusterAPI
import MusterBalancing
import MusterDiscovery
import MusterHTTP
import MusterTesting
import NIOCore
import NIOHTTP1
import Testing

/// The client whose URLs name services, over a scripted registry.
@Suite(.timeLimit(.minutes(1)))
struct ServiceClientTests {
    private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func entries(_ endpoints: [ServiceEndpoint]) -> String {
        let list = endpoints.map { endpoint in
            """
            {"Node":{"Node":"n","Address":"127.0.0.1"},"Service":{"ID":"\(endpoint.port)",
            "Service":"s","Address":"127.0.0.1","Port":\(endpoint.port)},"Checks":[]}
            """
        }
        return "[" + list.joined(separator: ",") + "]"
    }

    private func withServices(
        _ settings: @escaping @Sendable (String) -> HTTPServiceSettings = {
            HTTPServiceSettings(ServiceQuery($0))
        },
        _ body: (ScriptedRegistry, ServiceHTTPClient) async throws -> Void
    ) async throws {
        let registry = ScriptedRegistry()
        let port = try await registry.start()
        let address = RegistryAddress.http(host: "127.0.0.1", port: port)
        try await MusterClient.withClient(ClientConfiguration(address: address)) { client in
            let discovery = Discovery(client: client, logger: Self.silent)
            try await withClient { http in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await discovery.run() }
                    let services = ServiceHTTPClient(
                        discovery: discovery,
                        client: http,
                        logger: Self.silent,
                        settings: settings
                    )
                    try await body(registry, services)
                    group.cancelAll()
                }
            }
        }
        try await registry.stop()
    }

    @Test func theFirstCallWaitsForTheInstancesAndLaterOnesFollowThem() async throws {
        let first = ScriptedInstance(.answer(200, "first"))
        let second = ScriptedInstance(.answer(200, "second"))
        let endpoints = [try await first.start(), try await second.start()]
        try await withServices { registry, services in
            async let early = services.collect(
                HTTPClientRequest(url: "http://web/"),
                upTo: 100
            )
            await registry.next("/v1/health/service/web")
                .answer(200, index: 5, entries([endpoints[0]]))
            let answer = try await early
            #expect(String(buffer: answer.body) == "first")
            await registry.next("/v1/health/service/web")
                .answer(200, index: 6, entries([endpoints[1]]))
            let balancer = try services.balancer(for: "web")
            while balancer.snapshot?.index != 6 { await Task.yield() }
            let response = try await services.execute(HTTPClientRequest(url: "http://web/x"))
            let body = try await response.body.collect(upTo: 100)
            #expect(String(buffer: body) == "second")
        }
        try await first.stop()
        try await second.stop()
    }

    @Test func aRegistryThatDoesNotAnswerIsAnErrorWithinTheCallsTime() async throws {
        try await withServices { _, services in
            let error = await #expect(throws: HTTPCallError.self) {
                try await services.execute(
                    HTTPClientRequest(url: "http://web/"),
                    timeout: .milliseconds(50)
                )
            }
            #expect(error?.code == .noInstance)
            #expect(error?.service == "web")
        }
    }

    @Test func eachServiceHasItsOwnSettingsAskedForOnce() async throws {
        let instance = ScriptedInstance(.answer(200))
        let endpoint = try await instance.start()
        let settings: @Sendable (String) -> HTTPServiceSettings = { name in
            var settings = HTTPServiceSettings(ServiceQuery(name, tags: ["v2"]))
            settings.policy = .roundRobin
            return settings
        }
        try await withServices(settings) { registry, services in
            let found = entries([endpoint])
            registry.answer("/v1/health/service/") { request in
                // A query that blocks gets the same index again and again.
                ScriptedReply(200, index: 5, request.target.contains("tag=v2") ? found : "[]")
            }
            for name in ["a", "b", "a"] {
                let answer = try await services.collect(
                    HTTPClientRequest(url: "http://\(name)/"),
                    upTo: 10
                )
                #expect(answer.status == .ok)
            }
            let first = try services.balancer(for: "a")
            #expect(first.policy == .roundRobin)
            #expect(try services.balancer(for: "a") === first)
            #expect(try services.balancer(for: "b").retryBudget !== first.retryBudget)
        }
        try await instance.stop()
    }
}
