import Model
import StateStore

/// Every query of the store over the generator's small world, with its answer as text.
struct Query: Sendable {
    struct Result: Equatable {
        let text: String
        let index: LogIndex
        let topics: [Topic]
    }

    let name: String
    let run: @Sendable (StateStore) -> Result

    private init<Value>(
        _ name: String,
        _ ask: @escaping @Sendable (StateStore) -> Answer<Value>,
        _ show: @escaping @Sendable (Value) -> String
    ) {
        self.name = name
        run = { store in
            let answer = ask(store)
            return Result(text: show(answer.value), index: answer.index, topics: answer.topics)
        }
    }

    static let all: [Query] = catalog + perNode + perService + keys + others

    private static let catalog: [Query] = {
        var queries = [
            Query("nodes", { $0.nodes() }) { $0.map(show).joined() },
            Query("services", { $0.services() }) { "\($0)" },
            Query("serviceDump", { $0.serviceDump() }) { show($0) },
            Query("nodeDump", { $0.nodeDump() }) { $0.map(show).joined() },
            Query("checks", { $0.checksInState(nil) }) { $0.map(show).joined() },
        ]
        for rack in ["r1", "r2"] {
            let meta = ["rack": rack]
            queries += [
                Query("nodes \(rack)", { $0.nodes(nodeMeta: meta) }) { $0.map(show).joined() },
                Query("services \(rack)", { $0.services(nodeMeta: meta) }) { "\($0)" },
                Query("checks \(rack)", { $0.checksInState(nil, nodeMeta: meta) }) {
                    $0.map(show).joined()
                },
            ]
        }
        for status in [CheckStatus.passing, .warning, .critical] {
            queries.append(
                Query("state \(status.rawValue)", { $0.checksInState(status) }) {
                    $0.map(show).joined()
                }
            )
        }
        return queries
    }()

    private static let perNode: [Query] = CommandGenerator.nodes.flatMap { node in
        [
            Query("node \(node)", { $0.node(node) }) { $0.map(show) ?? "none" },
            Query("nodeServices \(node)", { $0.nodeServices(node) }) { value in
                value.map { show($0.node) + $0.services.map(show).joined() } ?? "none"
            },
            Query("nodeChecks \(node)", { $0.nodeChecks(node) }) { $0.map(show).joined() },
            Query("nodeDetails \(node)", { $0.nodeDetails(node) }) { $0.map(show) ?? "none" },
            Query("sessions \(node)", { $0.sessions(node: node) }) { $0.map(show).joined() },
            Query("coordinates \(node)", { $0.coordinates(node: node) }) { $0.map(show).joined() },
            Query("service \(node) s1", { $0.service(node: node, id: "s1") }) {
                $0.map(show) ?? "none"
            },
            Query("check \(node) c1", { $0.check(node: node, id: "c1") }) {
                $0.map(show) ?? "none"
            },
        ]
    }

    private static let perService: [Query] = CommandGenerator.services.flatMap { service in
        [
            Query("instances \(service)", { $0.serviceInstances(service) }) { show($0) },
            Query("tagged \(service)", { $0.serviceInstances(service, tags: ["v2"]) }) { show($0) },
            Query("racked \(service)", { $0.serviceInstances(service, nodeMeta: ["rack": "r1"]) }) {
                show($0)
            },
            Query("connect \(service)", { $0.serviceInstances(service, connect: true) }) {
                show($0)
            },
            Query("serviceChecks \(service)", { $0.serviceChecks(service) }) {
                $0.map(show).joined()
            },
            Query("rackChecks \(service)", { $0.serviceChecks(service, nodeMeta: ["rack": "r1"]) })
            {
                $0.map(show).joined()
            },
        ]
    }

    private static let keys: [Query] =
        CommandGenerator.keys.map { key in
            Query("key \(key)", { $0.keyValue(key) }) { $0.map(show) ?? "none" }
        }
        + CommandGenerator.prefixes.flatMap { prefix in
            [
                Query("prefix \(prefix)", { $0.keyValues(prefix: prefix) }) {
                    $0.map(show).joined()
                },
                Query("keys \(prefix)", { $0.keys(prefix: prefix, separator: "/") }) {
                    "\($0)"
                },
            ]
        }

    private static let others: [Query] =
        [
            Query("sessions", { $0.sessions() }) { $0.map(show).joined() },
            Query("coordinates", { $0.coordinates() }) { $0.map(show).joined() },
            Query("autopilot", { $0.autopilotConfiguration() }) { "\(String(describing: $0))" },
        ]
        + (1...6).map { number in
            let id = "bbbbbbbb-0000-0000-0000-00000000000\(number)"
            return Query("session \(number)", { $0.session(id) }) { $0.map(show) ?? "none" }
        }
}

// MARK: Answers as text

func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: Array(bytes), as: UTF8.self)
}

func show(_ node: NodeRecord) -> String { text(node.json) }
func show(_ service: ServiceRecord) -> String { service.withJSON { text($0) } }
func show(_ check: CheckRecord) -> String { check.withJSON { text($0) } }
func show(_ session: SessionRecord) -> String { text(session.json) }
func show(_ coordinate: CoordinateRecord) -> String { text(coordinate.json) }
func show(_ record: KeyValueRecord) -> String { "\(record.entry)" }
func show(_ instances: [ServiceInstance]) -> String {
    text(ServiceInstance.healthJSON(instances))
}
func show(_ details: NodeDetails) -> String {
    show(details.node) + details.services.map(show).joined() + details.checks.map(show).joined()
}
