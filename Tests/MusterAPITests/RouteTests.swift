import MusterAPI
import MusterTesting
import Synchronization
import Testing

/// A function of the SDK beside the request it sends: the whole surface, one line each.
struct RouteCase: Sendable, CustomTestStringConvertible {
    let request: String
    let call: @Sendable (MusterClient) async throws -> Void

    init(_ request: String, _ call: @escaping @Sendable (MusterClient) async throws -> Void) {
        self.request = request
        self.call = call
    }

    var testDescription: String { request }

    static let agent: [RouteCase] = [
        RouteCase("GET /v1/agent/self") { _ = try await $0.agent.identity() },
        RouteCase("GET /v1/agent/host") { _ = try await $0.agent.host() },
        RouteCase("GET /v1/agent/version") { _ = try await $0.agent.version() },
        RouteCase("GET /v1/agent/metrics") { _ = try await $0.agent.metrics() },
        RouteCase("GET /v1/agent/members?wan=1") { _ = try await $0.agent.members(wan: true) },
        RouteCase("PUT /v1/agent/join/10.0.0.1:8301") { try await $0.agent.join("10.0.0.1:8301") },
        RouteCase("PUT /v1/agent/leave") { try await $0.agent.leave() },
        RouteCase("PUT /v1/agent/force-leave/n1?prune") {
            try await $0.agent.forceLeave("n1", prune: true)
        },
        RouteCase("PUT /v1/agent/reload") { try await $0.agent.reload() },
        RouteCase("PUT /v1/agent/token/default") {
            try await $0.agent.setToken("default", to: "secret")
        },
        RouteCase("PUT /v1/agent/maintenance?enable=true&reason=disk") {
            try await $0.agent.setMaintenance(true, reason: "disk")
        },
        RouteCase("PUT /v1/agent/service/maintenance/web-1?enable=false") {
            try await $0.agent.setMaintenance(false, serviceID: "web-1")
        },
        RouteCase("GET /v1/agent/services?filter=Port%20%3D%3D%2080") {
            _ = try await $0.agent.services(filter: "Port == 80")
        },
        RouteCase("GET /v1/agent/service/web-1?hash=abc&wait=1000ms") {
            _ = try await $0.agent.service(
                "web-1",
                options: QueryOptions(hash: "abc", wait: .seconds(1))
            )
        },
        RouteCase("PUT /v1/agent/service/register?replace-existing-checks=true") {
            try await $0.agent.register(ServiceRegistration(name: "web"))
        },
        RouteCase("PUT /v1/agent/service/deregister/web-1") {
            try await $0.agent.deregister(serviceID: "web-1")
        },
        RouteCase("GET /v1/agent/health/service/id/web-1") {
            _ = try await $0.agent.health(serviceID: "web-1")
        },
        RouteCase("GET /v1/agent/health/service/name/web") {
            _ = try await $0.agent.health(serviceName: "web")
        },
        RouteCase("GET /v1/agent/checks") { _ = try await $0.agent.checks() },
        RouteCase("PUT /v1/agent/check/register") {
            try await $0.agent.register(check: CheckDefinition(name: "mem", ttl: .seconds(9)))
        },
        RouteCase("PUT /v1/agent/check/deregister/mem") {
            try await $0.agent.deregister(checkID: "mem")
        },
        RouteCase("PUT /v1/agent/check/pass/mem?note=ok") {
            try await $0.agent.update(checkID: "mem", status: .passing, output: "ok")
        },
        RouteCase("PUT /v1/agent/check/warn/mem") {
            try await $0.agent.update(checkID: "mem", status: .warning)
        },
        RouteCase("PUT /v1/agent/check/fail/mem") {
            try await $0.agent.update(checkID: "mem", status: .critical)
        },
        RouteCase("PUT /v1/agent/check/update/mem") {
            let output = String(repeating: "x", count: 2000)
            try await $0.agent.update(checkID: "mem", status: .critical, output: output)
        },
    ]

    static let catalogAndHealth: [RouteCase] = [
        RouteCase("GET /v1/catalog/datacenters") { _ = try await $0.catalog.datacenters() },
        RouteCase("GET /v1/catalog/nodes?near=_agent&node-meta=a:1&node-meta=b:2") {
            let options = QueryOptions(near: "_agent", nodeMeta: ["b": "2", "a": "1"])
            _ = try await $0.catalog.nodes(options: options)
        },
        RouteCase("GET /v1/catalog/services?stale") {
            _ = try await $0.catalog.services(options: QueryOptions(consistency: .stale))
        },
        RouteCase("GET /v1/catalog/service/web?tag=a&tag=b&consistent") {
            _ = try await $0.catalog.service(
                "web",
                tags: ["a", "b"],
                options: QueryOptions(consistency: .consistent)
            )
        },
        RouteCase("GET /v1/catalog/connect/web") { _ = try await $0.catalog.connect("web") },
        RouteCase("GET /v1/catalog/node/n1") { _ = try await $0.catalog.node("n1") },
        RouteCase("GET /v1/catalog/node-services/n1") {
            _ = try await $0.catalog.nodeServices("n1")
        },
        RouteCase("GET /v1/catalog/gateway-services/gate") {
            _ = try await $0.catalog.gatewayServices("gate")
        },
        RouteCase("PUT /v1/catalog/register?dc=dc2") {
            let node = CatalogRegistration(node: "n1", address: "10.0.0.1")
            try await $0.catalog.register(node, options: WriteOptions(datacenter: "dc2"))
        },
        RouteCase("PUT /v1/catalog/deregister") {
            try await $0.catalog.deregister(CatalogDeregistration(node: "n1"))
        },
        RouteCase("GET /v1/health/service/web?passing=1&dc=dc2&index=7&wait=500ms") {
            let options = QueryOptions(datacenter: "dc2", index: 7, wait: .milliseconds(500))
            _ = try await $0.health.service("web", passing: true, options: options)
        },
        RouteCase("GET /v1/health/connect/web") { _ = try await $0.health.connect("web") },
        RouteCase("GET /v1/health/ingress/web?cached") {
            _ = try await $0.health.ingress("web", options: QueryOptions(cache: CacheControl()))
        },
        RouteCase("GET /v1/health/node/n1") { _ = try await $0.health.node("n1") },
        RouteCase("GET /v1/health/checks/web") { _ = try await $0.health.checks(service: "web") },
        RouteCase("GET /v1/health/state/critical") { _ = try await $0.health.state(.critical) },
        RouteCase("GET /v1/health/state/any") { _ = try await $0.health.state(nil) },
    ]

    static let keyValueAndSessions: [RouteCase] = [
        RouteCase("GET /v1/kv/a/b") { _ = try await $0.keyValue.get("a/b") },
        RouteCase("GET /v1/kv/a/b?raw") { _ = try await $0.keyValue.value("a/b") },
        RouteCase("GET /v1/kv/a/?recurse") { _ = try await $0.keyValue.list("a/") },
        RouteCase("GET /v1/kv/a/?keys&separator=%2F") {
            _ = try await $0.keyValue.keys("a/", separator: "/")
        },
        RouteCase("PUT /v1/kv/k?flags=3") { try await $0.keyValue.put("k", [1], flags: 3) },
        RouteCase("PUT /v1/kv/k?cas=0") { try await $0.keyValue.put("k", "v", if: .absent) },
        RouteCase("PUT /v1/kv/k?cas=7") {
            try await $0.keyValue.put("k", "v", if: .unchanged(since: 7))
        },
        RouteCase("PUT /v1/kv/k?acquire=s1") {
            try await $0.keyValue.put("k", "v", if: .acquire(session: "s1"))
        },
        RouteCase("PUT /v1/kv/k?release=s1") {
            try await $0.keyValue.put("k", "v", if: .release(session: "s1"))
        },
        RouteCase("DELETE /v1/kv/k") { try await $0.keyValue.delete("k") },
        RouteCase("DELETE /v1/kv/k?cas=7") {
            try await $0.keyValue.delete("k", ifUnchangedSince: 7)
        },
        RouteCase("DELETE /v1/kv/a/?recurse") { try await $0.keyValue.deleteAll(prefix: "a/") },
        RouteCase("PUT /v1/txn?dc=dc2") {
            _ = try await $0.transaction([], options: WriteOptions(datacenter: "dc2"))
        },
        RouteCase("PUT /v1/session/create") { _ = try await $0.session.create() },
        RouteCase("PUT /v1/session/destroy/s1") { try await $0.session.destroy("s1") },
        RouteCase("PUT /v1/session/renew/s1") { _ = try await $0.session.renew("s1") },
        RouteCase("GET /v1/session/info/s1") { _ = try await $0.session.info("s1") },
        RouteCase("GET /v1/session/node/n1") { _ = try await $0.session.node("n1") },
        RouteCase("GET /v1/session/list") { _ = try await $0.session.list() },
        RouteCase("PUT /v1/event/fire/deploy?node=n.%2A&service=web&tag=v1") {
            _ = try await $0.event.fire("deploy", node: "n.*", service: "web", tag: "v1")
        },
        RouteCase("GET /v1/event/list?name=deploy") {
            _ = try await $0.event.list(name: "deploy")
        },
    ]

    static let cluster: [RouteCase] = [
        RouteCase("GET /v1/coordinate/datacenters") { _ = try await $0.coordinate.datacenters() },
        RouteCase("GET /v1/coordinate/nodes") { _ = try await $0.coordinate.nodes() },
        RouteCase("GET /v1/coordinate/node/n1") { _ = try await $0.coordinate.node("n1") },
        RouteCase("PUT /v1/coordinate/update") {
            try await $0.coordinate.update(CoordinateEntry(node: "n1"))
        },
        RouteCase("GET /v1/status/leader") { _ = try await $0.status.leader() },
        RouteCase("GET /v1/status/peers?dc=dc2") {
            _ = try await $0.status.peers(datacenter: "dc2")
        },
        RouteCase("GET /v1/operator/raft/configuration") {
            _ = try await $0.operations.raftConfiguration()
        },
        RouteCase("DELETE /v1/operator/raft/peer?address=10.0.0.1:8300") {
            try await $0.operations.removeServer(address: "10.0.0.1:8300")
        },
        RouteCase("DELETE /v1/operator/raft/peer?id=abc") {
            try await $0.operations.removeServer(id: "abc")
        },
        RouteCase("POST /v1/operator/raft/transfer-leader?id=abc") {
            try await $0.operations.transferLeadership(to: "abc")
        },
        RouteCase("GET /v1/operator/autopilot/configuration") {
            _ = try await $0.operations.autopilotConfiguration()
        },
        RouteCase("PUT /v1/operator/autopilot/configuration?cas=3") {
            let configuration = AutopilotConfiguration()
            _ = try await $0.operations.setAutopilotConfiguration(configuration, cas: 3)
        },
        RouteCase("GET /v1/operator/autopilot/health") {
            _ = try await $0.operations.autopilotHealth()
        },
        RouteCase("GET /v1/operator/autopilot/state") {
            _ = try await $0.operations.autopilotState()
        },
        RouteCase("GET /v1/snapshot?stale") {
            _ = try await $0.snapshot.save(options: QueryOptions(consistency: .stale)) { _ in }
        },
        RouteCase("PUT /v1/snapshot") {
            let pieces = AsyncStream<[UInt8]> { continuation in
                continuation.yield([1, 2, 3])
                continuation.finish()
            }
            try await $0.snapshot.restore(pieces, length: 3)
        },
    ]

    static var all: [RouteCase] { agent + catalogAndHealth + keyValueAndSessions + cluster }
}

@Suite(.timeLimit(.minutes(3))) struct RouteTests {
    @Test(arguments: RouteCase.all)
    func aFunctionSendsItsRequest(_ route: RouteCase) async throws {
        try await withRegistry({ $0.token = "t0" }) { registry, client in
            let seen = Mutex<[String]>([])
            registry.answer("/") { request in
                #expect(request.header("X-Consul-Token") == "t0")
                seen.withLock { $0.append("\(request.method) \(request.target)") }
                return ScriptedReply(200, index: 1, "null")
            }
            // Only the request counts here: `null` is not what every endpoint answers.
            try? await route.call(client)
            let requests = seen.withLock { $0.map { $0.replacing("%3A", with: ":") } }
            #expect(requests == [route.request])
        }
    }

    @Test func theCacheIsToldHowOldAnAnswerMayBe() async throws {
        try await withRegistry { registry, client in
            let cache = CacheControl(maxAge: .seconds(30), staleIfError: .seconds(600))
            let nodes = Task { try await client.catalog.nodes(options: QueryOptions(cache: cache)) }
            let request = await registry.next("/v1/catalog/nodes?cached")
            #expect(request.header("Cache-Control") == "max-age=30, stale-if-error=600")
            request.answer(200, index: 1, "[]")
            _ = try await nodes.value
        }
    }

    @Test func everyFunctionOfTheAgentTakesATokenOfItsOwn() async throws {
        let calls: [@Sendable (AgentAPI) async throws -> Void] = [
            { _ = try await $0.identity(token: "mine") }, { _ = try await $0.host(token: "mine") },
            { _ = try await $0.version(token: "mine") }, { try await $0.leave(token: "mine") },
            { _ = try await $0.metrics(token: "mine") }, { try await $0.reload(token: "mine") },
            { _ = try await $0.members(token: "mine") },
            { try await $0.join("a", token: "mine") },
            { try await $0.forceLeave("a", token: "mine") },
            { try await $0.setToken("agent", to: "b", token: "mine") },
            { try await $0.setMaintenance(true, token: "mine") },
            { try await $0.setMaintenance(true, serviceID: "a", token: "mine") },
            { _ = try await $0.services(token: "mine") },
            { _ = try await $0.service("a", options: QueryOptions(token: "mine")) },
            { try await $0.register(ServiceRegistration(name: "a"), token: "mine") },
            { try await $0.deregister(serviceID: "a", token: "mine") },
            { _ = try await $0.health(serviceID: "a", token: "mine") },
            { _ = try await $0.health(serviceName: "a", token: "mine") },
            { _ = try await $0.checks(token: "mine") },
            { try await $0.register(check: CheckDefinition(name: "a"), token: "mine") },
            { try await $0.deregister(checkID: "a", token: "mine") },
            { try await $0.update(checkID: "a", status: .passing, token: "mine") },
        ]
        try await withRegistry({ $0.token = "default" }) { registry, client in
            let tokens = Mutex<[String]>([])
            registry.answer("/") { request in
                tokens.withLock { $0.append(request.header("X-Consul-Token") ?? "") }
                return ScriptedReply(200, "null")
            }
            for call in calls {
                // Only the request counts here: `null` is not what every endpoint answers.
                try? await call(client.agent)
            }
            let seen = tokens.withLock(\.self)
            #expect(seen == Array(repeating: "mine", count: calls.count))
        }
    }
}
