import Model
import Testing
import Wire

/// One command of every kind, with most fields set.
enum SampleCommands {
    static var all: [Command] {
        var deregister = DeregisterCommand()
        (deregister.datacenter, deregister.node, deregister.serviceID) = ("dc1", "n1", "web-1")
        deregister.checkID = "c"
        var configuration = AutopilotConfiguration()
        configuration.redundancyZoneTag = "zone"
        var conditional = configuration
        conditional.indexes.modify = LogIndex(rawValue: 17)
        return [
            .register(register), .register(RegisterCommand()), .deregister(deregister),
            .keyValue(KeyValueCommand(operation: .deleteCAS, entry: entry)),
            .session(.create(session)), .session(.destroy(id: "abc")),
            .reapTombstones(upTo: LogIndex(rawValue: 300)),
            .updateCoordinates([coordinate]), .transaction(transaction),
            .autopilot(AutopilotCommand(configuration: configuration, casIndex: nil)),
            .autopilot(
                AutopilotCommand(configuration: conditional, casIndex: LogIndex(rawValue: 17))
            ),
        ]
    }

    static var service: CatalogService {
        var service = CatalogService()
        (service.id, service.name, service.port) = ("web-1", "web", 8080)
        (service.tags, service.meta) = (["a", "ü"], ["k": "v", "a": ""])
        service.kind = .connectProxy
        var address = ServiceAddress()
        (address.address, address.port) = ("10.0.0.1", 80)
        service.taggedAddresses = ["lan": address]
        service.weights = Weights(passing: 3, warning: 0)
        service.proxy.destinationServiceName = "db"
        service.proxy.config = ["x": .array([.integer(1), .double(1.5), .null, .bool(true)])]
        var upstream = Upstream()
        (upstream.destinationName, upstream.meshGatewayMode) = ("q", "local")
        upstream.ingressHosts = ["h"]
        service.proxy.upstreams = [upstream]
        var path = ExposePath()
        (path.path, path.listenerPort, path.protocolName) = ("/x", 3, "http2")
        service.proxy.expose.paths = [path]
        service.connect.native = true
        service.locallyRegisteredAsSidecar = true
        return service
    }

    static var check: HealthCheck {
        var check = HealthCheck()
        (check.node, check.id, check.name) = ("n1", "c1", "check")
        (check.status, check.output) = (.warning, "line\n\"two\" <b>\u{2028}")
        check.serviceTags = []
        check.definition.http = "http://x/"
        check.definition.header = ["b": ["1", "2"], "a": []]
        check.definition.interval = .seconds(10)
        check.definition.timeout = .milliseconds(1_500)
        check.definition.ttl = .seconds(3)
        check.indexes = RecordIndexes(create: .zero, modify: LogIndex(rawValue: 7))
        return check
    }

    static var register: RegisterCommand {
        var register = RegisterCommand()
        register.datacenter = "dc1"
        (register.node.name, register.node.address) = ("n1", "10.0.0.1")
        (register.node.datacenter, register.node.meta) = ("dc1", [:])
        register.service = service
        register.checks = [check, HealthCheck()]
        register.skipNodeUpdate = true
        return register
    }

    static var entry: KeyValueEntry {
        var entry = KeyValueEntry()
        (entry.key, entry.value, entry.flags) = ("a/b", [0, 255, 7], .max)
        entry.indexes.modify = LogIndex(rawValue: 9)
        return entry
    }

    static var session: Session {
        var session = Session()
        (session.id, session.name, session.node) = ("abc", "lock", "n1")
        session.nodeChecks = ["serfHealth"]
        session.serviceChecks = [ServiceCheckReference()]
        (session.lockDelay, session.behavior, session.ttl) = (.seconds(15), .delete, "10s")
        return session
    }

    static var coordinate: NodeCoordinate {
        var coordinate = NodeCoordinate()
        coordinate.node = "n1"
        coordinate.coordinate.vector = [0, 1.5, -2e-7]
        coordinate.coordinate.height = 1e-5
        return coordinate
    }

    static var transaction: [TransactionOperation] {
        [
            .keyValue(.checkNotExists, entry), .node(.cas, register.node),
            .service(.set, node: "n1", service), .check(.deleteCAS, check),
        ]
    }
}

@Suite("Commands of the log")
struct CommandCodingTests {
    private func encoded(_ command: Command, canonical: Bool = true) -> [UInt8] {
        var output: [UInt8] = []
        CommandCoding.encode(command, canonical: canonical, into: &output)
        return output
    }

    @Test("Every command survives", arguments: SampleCommands.all)
    func roundTrip(command: Command) throws {
        #expect(try CommandCoding.decode(encoded(command)) == command)
        #expect(try CommandCoding.decode(encoded(command, canonical: false)) == command)
    }

    @Test("The log's own form has the same fields but for zeros", arguments: SampleCommands.all)
    func ownForm(command: Command) throws {
        let forms = [true, false].map { encoded(command, canonical: $0) }
        let values = try forms.map {
            try MessagePack.decode(JSONValue.self, from: $0.dropFirst())
        }
        #expect(values[1].isPart(of: values[0]))
    }

    @Test("Zeros and empty lists survive where a new record has something else")
    func zerosThatAreNoDefaults() throws {
        var check = SampleCommands.check
        check.status = CheckStatus(rawValue: "")
        check.serviceTags = []
        var service = CatalogService()
        service.tags = []
        service.meta = [:]
        service.taggedAddresses = [:]
        service.weights = Weights(passing: 0, warning: 0)
        service.proxy.config = [:]
        service.proxy.upstreams = []
        var register = RegisterCommand()
        register.service = service
        register.checks = [check]
        var autopilot = AutopilotConfiguration()
        autopilot.cleanupDeadServers = false
        autopilot.lastContactThreshold = .zero
        autopilot.maxTrailingLogs = 0
        autopilot.serverStabilizationTime = .zero
        var coordinate = NodeCoordinate()
        coordinate.node = "n"
        let commands: [Command] = [
            .register(register), .updateCoordinates([coordinate]),
            .keyValue(KeyValueCommand(operation: .delete, entry: KeyValueEntry())),
            .autopilot(AutopilotCommand(configuration: autopilot, casIndex: nil)),
            .session(.create(Session())), .reapTombstones(upTo: .zero), .transaction([]),
            .transaction([.check(.set, check), .service(.set, node: "", service)]),
        ]
        for command in commands {
            #expect(try CommandCoding.decode(encoded(command, canonical: false)) == command)
        }
        #expect(encoded(commands[0], canonical: false).count < encoded(commands[0]).count / 2)
    }

    @Test("Commands have the message types of Consul's state machine")
    func types() {
        #expect(SampleCommands.all.map { encoded($0)[0] } == [0, 0, 1, 2, 3, 3, 5, 0x86, 8, 9, 9])
    }

    @Test("A key/value command captured from Consul means what it says")
    func capturedKeyValue() throws {
        let captured = bytes(
            """
            0284aa4461746163656e746572a3646331a6446972456e7487ab437265617465496e64657800
            a5466c6167732aa34b6579a3666f6fa94c6f636b496e64657800ab4d6f64696679496e64657800
            a753657373696f6ea0a556616c7565a500ff626172a24f70a3736574a5546f6b656ea0
            """
        )
        var entry = KeyValueEntry()
        (entry.key, entry.flags, entry.value) = ("foo", 42, [0, 0xFF] + Array("bar".utf8))
        let expected = Command.keyValue(KeyValueCommand(operation: .set, entry: entry))
        #expect(try CommandCoding.decode(captured) == expected)
        // Ours differs in the datacenter alone, which the state machine does not read.
        let ours = encoded(expected)
        #expect(ours == captured.replacing(bytes("a3646331"), with: bytes("a0")))
    }

    @Test("An autopilot command captured from Consul has the same bytes")
    func capturedAutopilot() throws {
        let captured = bytes(
            """
            0984a3434153c2a6436f6e6669678ab2436c65616e75704465616453657276657273c3
            ab437265617465496e64657800b744697361626c65557067726164654d6967726174696f6ec2
            b44c617374436f6e746163745468726573686f6c64ce0bebc200af4d6178547261696c696e674c6f6773
            ccfaa94d696e51756f72756d00ab4d6f64696679496e64657800b1526564756e64616e63795a6f6e65546167
            a0b753657276657253746162696c697a6174696f6e54696d65cf00000002540be400
            b15570677261646556657273696f6e546167a0aa4461746163656e746572a0a5546f6b656ea0
            """
        )
        let command = Command.autopilot(
            AutopilotCommand(configuration: AutopilotConfiguration(), casIndex: nil)
        )
        #expect(encoded(command) == captured)
        #expect(try CommandCoding.decode(captured) == command)
    }

    @Test("An unknown type is an error, unless its top bit allows to ignore it")
    func unknownTypes() throws {
        #expect(try CommandCoding.decode([0x80 | 30, 0x80]) == nil)
        #expect(throws: WireError.self) { try CommandCoding.decode([30, 0x80]) }
        #expect(throws: WireError.self) { try CommandCoding.decode([]) }
    }

    @Test("Operations that do not exist are refused")
    func unknownOperations() {
        let steps: [JSONValue] = [.object(["KV": .object(["Verb": .string("bogus")])])]
        let bodies: [(UInt8, JSONValue)] = [
            (2, .object(["Op": .string("bogus")])), (3, .object(["Op": .string("bogus")])),
            (5, .object(["Op": .string("bogus")])), (8, .object(["Ops": .array(steps)])),
            (8, .object(["Ops": .array([.object([:])])])),
        ]
        for (type, body) in bodies {
            #expect(throws: WireError.self) {
                try CommandCoding.decode([type] + MessagePack.encode(body))
            }
        }
    }
}

extension JSONValue {
    /// True when everything in this is in `other` too.
    fileprivate func isPart(of other: JSONValue) -> Bool {
        switch (self, other) {
        case (.object(let mine), .object(let theirs)):
            mine.allSatisfy { key, value in theirs[key].map { value.isPart(of: $0) } ?? false }
        case (.array(let mine), .array(let theirs)):
            mine.count == theirs.count && zip(mine, theirs).allSatisfy { $0.isPart(of: $1) }
        default: self == other
        }
    }
}
