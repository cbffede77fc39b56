import Logging
import MusterAPI
import MusterBalancing
import MusterDiscovery
import MusterTesting

/// Health entries as the registry writes them, one per port.
func entries(_ ports: Int..., status: String = "passing", zone: String = "a") -> String {
    let list = ports.map { port in
        """
        {"Node":{"Node":"n1","Address":"10.0.0.1","Datacenter":"dc1"},
        "Service":{"ID":"web-\(port)","Service":"web","Address":"","Port":\(port),
        "Meta":{"zone":"\(zone)"},"Weights":{"Passing":4,"Warning":2}},
        "Checks":[{"CheckID":"c","Status":"\(status)"}]}
        """
    }
    return "[" + list.joined(separator: ",") + "]"
}

func ports(_ snapshot: ServiceSnapshot?) -> [UInt16]? {
    snapshot?.instances.map(\.endpoint.port)
}

/// A logger that says nothing.
let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Runs a discovery against a scripted registry, with time under the test's control.
func withDiscovery(
    _ configure: (inout Discovery.Configuration) -> Void = { _ in },
    _ body: (ScriptedRegistry, Discovery, ManualClock) async throws -> Void
) async throws {
    let registry = ScriptedRegistry()
    let port = try await registry.start()
    let time = ManualClock()
    let address = RegistryAddress.http(host: "127.0.0.1", port: port)
    try await MusterClient.withClient(ClientConfiguration(address: address)) { client in
        var configuration = Discovery.Configuration()
        configuration.clock = time.source
        configuration.seed = 1
        configure(&configuration)
        let discovery = Discovery(client: client, configuration: configuration, logger: silent)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await discovery.run() }
            try await body(registry, discovery, time)
            group.cancelAll()
        }
    }
    try await registry.stop()
}

/// The port of the instance a balancer picks, nil when it has none.
func port(_ balancer: Balancer) -> UInt16? {
    // Having none is one of the expected outcomes.
    guard let pick = try? balancer.pick() else { return nil }
    return pick.endpoint.port
}
