import Model
import RandomSupport

/// Random commands over a small world, so that they meet one another often.
struct CommandGenerator {
    var random: SeededGenerator
    /// Sessions that were created at some time.
    private var sessions: [String] = []
    private var sessionCount = 0

    static let nodes = ["n1", "n2", "N2", "n3"]
    static let nodeIDs = [
        "", "aaaaaaaa-0000-0000-0000-000000000001", "aaaaaaaa-0000-0000-0000-000000000002",
    ]
    static let services = ["web", "api", "Web", "db"]
    static let serviceIDs = ["s1", "S1", "s2", "s3"]
    static let checks = ["c1", "c2", "C2", "serfHealth"]
    static let keys = ["a", "a/b", "a/b/c", "a/bc", "b", "b/a", "ä"]
    static let prefixes = ["", "a", "a/", "a/b", "a/b/", "b/", "c", "ä"]
    static let statuses: [CheckStatus] = [.passing, .passing, .warning, .critical]

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    mutating func next(at index: UInt64) -> Command {
        switch Int.random(in: 0..<20, using: &random) {
        case 0...6: return .register(register())
        case 7...8: return .deregister(deregister())
        case 9...13: return .keyValue(keyValue(at: index))
        case 14...15: return .session(session())
        case 16: return .transaction(transaction(at: index))
        case 17: return .updateCoordinates([coordinate()])
        case 18:
            let behind = UInt64.random(in: 0...40, using: &random)
            return .reapTombstones(upTo: LogIndex(rawValue: index > behind ? index - behind : 0))
        default:
            var configuration = AutopilotConfiguration()
            configuration.maxTrailingLogs = UInt64.random(in: 0...3, using: &random)
            let cas = random.oneIn(2) ? nil : guess(index)
            return .autopilot(AutopilotCommand(configuration: configuration, casIndex: cas))
        }
    }

    /// An index that some record may have.
    private mutating func guess(_ index: UInt64) -> LogIndex {
        guard !random.oneIn(4) else { return .zero }
        let behind = UInt64.random(in: 0...12, using: &random)
        return LogIndex(rawValue: index > behind ? index - behind : 0)
    }

    private mutating func session() -> SessionCommand {
        guard sessions.isEmpty || random.oneIn(2) else {
            return .destroy(id: random.pick(sessions))
        }
        var session = Session()
        sessionCount += 1
        let digits = String(sessionCount)
        let padding = String(repeating: "0", count: 12 - digits.count)
        session.id = "bbbbbbbb-0000-0000-0000-\(padding)\(digits)"
        session.node = random.pick(Self.nodes)
        session.nodeChecks = random.oneIn(2) ? [random.pick(Self.checks)] : nil
        session.behavior = random.oneIn(2) ? .delete : .release
        session.lockDelay = random.pick([.zero, .seconds(3), .seconds(100)])
        sessions.append(session.id)
        return .create(session)
    }

    private mutating func someSession() -> String {
        guard !sessions.isEmpty else { return "" }
        return random.oneIn(8) ? "" : random.pick(Array(sessions.suffix(4)))
    }

    private mutating func entry(at index: UInt64) -> KeyValueEntry {
        var entry = KeyValueEntry()
        entry.key = random.pick(Self.keys)
        entry.value = random.pick([[], [1], [2, 3]])
        entry.flags = random.pick([0, 0, 7])
        entry.session = someSession()
        entry.indexes.modify = guess(index)
        return entry
    }

    private mutating func keyValue(at index: UInt64) -> KeyValueCommand {
        let operation = random.pick([
            KeyValueOperation.set, .set, .set, .delete, .deleteCAS, .deleteTree, .cas, .cas, .lock,
            .lock, .lock, .unlock,
        ])
        var entry = entry(at: index)
        if operation == .deleteTree { entry.key = random.pick(Self.prefixes) }
        return KeyValueCommand(operation: operation, entry: entry)
    }

    private mutating func node() -> Node {
        var node = Node()
        node.name = random.pick(Self.nodes)
        node.id = random.pick(Self.nodeIDs)
        node.address = random.pick(["10.0.0.1", "10.0.0.1", "10.0.0.2"])
        node.meta = random.pick([nil, [:], ["rack": "r1"], ["rack": "r2"]])
        return node
    }

    private mutating func service() -> CatalogService {
        var service = CatalogService()
        service.name = random.pick(Self.services)
        service.id = random.pick(Self.serviceIDs)
        service.tags = random.pick([nil, [], ["v1"], ["v1", "V2"]])
        service.port = random.pick([80, 81])
        if random.oneIn(5) {
            service.kind = .connectProxy
            service.proxy.destinationServiceName = random.pick(Self.services)
        } else if random.oneIn(6) {
            service.connect.native = true
        }
        if random.oneIn(12) { service.meta = [random.pick(["", "ok", "no good"]): "x"] }
        return service
    }

    private mutating func check(on node: String) -> HealthCheck {
        var check = HealthCheck()
        check.node = node
        check.id = random.pick(Self.checks)
        check.status = random.pick(Self.statuses)
        check.output = random.pick(["", "out"])
        check.serviceID = random.oneIn(2) ? "" : random.pick(Self.serviceIDs)
        return check
    }

    private mutating func register() -> RegisterCommand {
        var command = RegisterCommand()
        command.node = node()
        command.skipNodeUpdate = random.oneIn(3)
        if random.oneIn(2) { command.service = service() }
        for _ in 0..<random.pick([0, 0, 1, 1, 2]) {
            let node = random.oneIn(20) ? "other" : command.node.name
            command.checks.append(check(on: node))
        }
        return command
    }

    private mutating func deregister() -> DeregisterCommand {
        var command = DeregisterCommand()
        command.node = random.pick(Self.nodes)
        if random.oneIn(2) { command.serviceID = random.pick(Self.serviceIDs) }
        if random.oneIn(2) { command.checkID = random.pick(Self.checks) }
        return command
    }

    private mutating func coordinate() -> NodeCoordinate {
        var coordinate = NodeCoordinate()
        coordinate.node = random.pick(Self.nodes)
        coordinate.segment = random.pick(["", "alpha"])
        coordinate.coordinate.vector = [random.pick([0.5, 1.5, .infinity])]
        return coordinate
    }

    private mutating func transaction(at index: UInt64) -> [TransactionOperation] {
        (0..<Int.random(in: 1...3, using: &random)).map { _ in
            let verb = random.pick([CatalogOperation.get, .set, .set, .cas, .delete, .deleteCAS])
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                var node = node()
                node.indexes.modify = guess(index)
                return .node(verb, node)
            case 1:
                var service = service()
                service.indexes.modify = guess(index)
                return .service(verb, node: random.pick(Self.nodes), service)
            case 2:
                var check = check(on: random.pick(Self.nodes))
                check.indexes.modify = guess(index)
                return .check(verb, check)
            default:
                let operation = random.pick([
                    KeyValueOperation.set, .set, .cas, .delete, .deleteCAS, .deleteTree, .lock,
                    .unlock, .get, .getTree, .checkIndex, .checkSession, .checkNotExists,
                ])
                return .keyValue(operation, entry(at: index))
            }
        }
    }
}
