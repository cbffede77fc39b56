import MusterBalancing
import MusterDiscovery

struct CallFailed: Error {}

/// The balancing's article.
func balance(
    _ discovery: Discovery,
    call: @Sendable (ServiceEndpoint) async throws -> String
) async throws -> String {
    var options = Balancer.Options()
    options.zone = "eu-1a"
    options.outliers = OutlierDetection()
    options.slowStart = SlowStart(window: .seconds(30))
    let orders = discovery.service("orders").balancer(.leastRequest(), options: options)

    return try await orders.withInstance(
        failover: .nextInstance(attempts: 3) { $0 is CallFailed }
    ) { endpoint in
        try await call(endpoint)
    }
}

/// Picks by hand.
func pick(_ orders: Balancer) throws -> String {
    let pick = try orders.pick()
    let authority = pick.endpoint.authority
    pick.complete(.success)
    return authority
}

/// The same customer, the same instance.
func pickByKey(_ discovery: Discovery, customer: String) throws -> ServiceEndpoint {
    let carts = discovery.service("carts").balancer(.consistentHash(.maglev(), boundedLoad: 1.25))
    let pick = try carts.pick(PickRequest(key: customer))
    return pick.endpoint
}

/// Balancing without a registry.
func balanceWithoutRegistry() throws -> Balancer {
    let balancer = Balancer(policy: .weightedRoundRobin)
    let instances = ["10.0.0.1", "10.0.0.2"].compactMap { host in
        ServiceEndpoint(host: host, port: 80).map {
            Instance(id: InstanceID(node: host, serviceID: "web"), endpoint: $0, weight: 2)
        }
    }
    balancer.update(ServiceSnapshot(instances: instances, confirmed: .now))
    return balancer
}

/// A policy of one's own: the first of the instances that are left.
struct FirstOne: InstancePicker {
    let count: Int

    func pick(_ request: PickRequest) -> Int? { count > 0 ? 0 : nil }
}

let firstOne = BalancingPolicy.custom("first_one") { FirstOne(count: $0.instances.count) }
