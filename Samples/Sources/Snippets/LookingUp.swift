import Logging
import MusterAPI
import MusterBalancing
import MusterDiscovery

/// The lookup's article.
func lookUp(_ discovery: Discovery, logger: Logger) async throws {
    let orders = discovery.service(ServiceQuery("orders", tags: ["v2"]))
    let first = try await orders.firstSnapshot()
    for instance in first.instances {
        print(instance.endpoint, instance.weight, instance.zone ?? "no zone")
    }

    var last = first
    for await snapshot in orders.snapshots {
        let difference = snapshot.difference(from: last)
        logger.info("\(difference.added.count) came, \(difference.removed.count) went")
        if case .stale(let since) = snapshot.origin {
            logger.warning("the registry has been silent since \(since)")
        }
        last = snapshot
    }
}

/// A discovery beside everything else.
func runDiscovery() async throws {
    let registry = try MusterClient(configuration: .fromEnvironment())
    let discovery = Discovery(client: registry)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await discovery.run() }
        let snapshot = try await discovery.instances("orders")
        print(snapshot.instances.count)
        group.cancelAll()
    }
    try await registry.shutdown()
}
