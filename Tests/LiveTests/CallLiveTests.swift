import AsyncHTTPClient
import MusterAPI
import MusterBalancing
import MusterDiscovery
import MusterHTTP
import MusterTesting
import NIOCore
import Testing

@Suite(.live, .timeLimit(.minutes(2))) struct CallLiveTests {
    /// Registers an instance at a port; without checks it is healthy.
    private func register(_ name: String, _ port: Int, _ client: MusterClient) async throws {
        try await client.agent.register(
            ServiceRegistration(
                id: "\(name)-\(port)",
                name: name,
                port: port,
                address: "127.0.0.1"
            )
        )
    }

    @Test func aServiceIsCalledByNameWhileItsInstancesComeAndGo() async throws {
        let copies = [ScriptedRegistry(), ScriptedRegistry()]
        var ports: [Int] = []
        for (number, copy) in copies.enumerated() {
            copy.answer("/") { _ in ScriptedReply(200, "copy \(number)") }
            ports.append(try await copy.start())
        }
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .services())
        try await Live.withClient { client in
            let name = Live.unique("call")
            let discovery = Discovery(client: client)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await discovery.run() }
                let services = ServiceHTTPClient(discovery: discovery, client: http)
                let call = {
                    let answer = try await services.collect(
                        HTTPClientRequest(url: "http://\(name)/"),
                        upTo: 100
                    )
                    return String(buffer: answer.body)
                }
                try await register(name, ports[0], client)
                // A registration reaches the catalog a moment after its agent has taken it.
                var first = try? await call()
                while first == nil {
                    await Task.yield()
                    first = try? await call()  // Fails until there is an instance.
                }
                #expect(first == "copy 0")
                try await register(name, ports[1], client)
                while try await call() != "copy 1" {}
                try await client.agent.deregister(serviceID: "\(name)-\(ports[0])")
                let balancer = try services.balancer(for: name)
                while balancer.status.instances != 1 { await Task.yield() }
                for _ in 0..<10 {
                    let answer = try await call()
                    #expect(answer == "copy 1")
                }
                group.cancelAll()
            }
            try await client.agent.deregister(serviceID: "\(name)-\(ports[1])")
        }
        try await http.shutdown()
        for copy in copies { try await copy.stop() }
    }
}
