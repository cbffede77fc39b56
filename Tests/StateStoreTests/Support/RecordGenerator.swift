import Model
import RandomSupport

/// Random services and checks with everything in them that is written in a form of its own.
struct RecordGenerator {
    var random: SeededGenerator

    static let texts = [
        "", "web", "a<b>&c", "say \"hi\"", "back\\slash", "line\nbreak\ttab\r", "\u{0}\u{1F}\u{7F}",
        "grün", "日本語", "🦫", "e\u{301}", "\u{2028}\u{2029}\u{FFFD}", "null", "true", "-1", "{}",
        "],\"ID\":\"x\"", String(repeating: "x", count: 31), String(repeating: "y", count: 32),
        String(repeating: "z<ü", count: 90), String(repeating: "long ", count: 14_000),
    ]
    static let numbers = [
        0, 1, -1, 127, 128, -32, -33, -129, 255, 256, 8080, 65_535, 65_536, -40_000, 1 << 32,
        -(1 << 33), 1 << 53 + 1, .max, .min,
    ]
    /// Around what the short headers of lists and maps hold.
    static let counts = [0, 1, 2, 14, 15, 16, 17, 300]

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    mutating func text() -> String { random.pick(Self.texts) }

    mutating func number() -> Int { random.pick(Self.numbers) }

    mutating func list() -> [String]? {
        guard !random.oneIn(4) else { return nil }
        return (0..<random.pick(Self.counts)).map { "\($0) \(text().prefix(40))" }
    }

    mutating func map() -> [String: String]? {
        guard !random.oneIn(4) else { return nil }
        var map: [String: String] = [:]
        for number in 0..<random.pick(Self.counts) {
            map["\(text().prefix(40))\(number)"] = String(text().prefix(100))
        }
        return map
    }

    /// The metadata of a service: at most 64 pairs, whose keys the registry restricts.
    mutating func meta() -> [String: String]? {
        guard !random.oneIn(4) else { return nil }
        var meta: [String: String] = [:]
        for number in 0..<min(random.pick(Self.counts), 64) {
            meta["\(random.pick(["Key", "k-e_y"]))\(number)"] = String(text().prefix(100))
        }
        return meta
    }

    private mutating func value(depth: Int = 0) -> JSONValue {
        switch Int.random(in: 0..<(depth < 3 ? 7 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(random.oneIn(2))
        case 2: return .integer(Int64(random.pick([0, 1, -1, 250, 5000, -70_000, 1 << 40])))
        case 3: return .double(random.pick([0.5, -2.25, 1e300, 1e-9, 9_007_199_254_740_994]))
        case 4: return .string(text())
        case 5: return .array((0..<random.pick([0, 2, 17])).map { _ in value(depth: depth + 1) })
        default: return .object(config(depth: depth + 1) ?? [:])
        }
    }

    private mutating func config(depth: Int = 0) -> [String: JSONValue]? {
        guard !random.oneIn(4) else { return nil }
        var map: [String: JSONValue] = [:]
        for number in 0..<random.pick([0, 1, 3, 16]) {
            map["\(text().prefix(20))\(number)"] = value(depth: depth)
        }
        return map
    }

    private mutating func upstream() -> Upstream {
        var upstream = Upstream()
        upstream.destinationType = text()
        upstream.destinationName = text()
        upstream.destinationNamespace = text()
        upstream.datacenter = text()
        upstream.localBindAddress = text()
        upstream.localBindPort = number()
        upstream.meshGatewayMode = random.pick(["", "local"])
        upstream.config = config()
        return upstream
    }

    mutating func proxy() -> ProxyConfiguration {
        var proxy = ProxyConfiguration()
        proxy.destinationServiceName = text()
        proxy.destinationServiceID = text()
        proxy.localServiceAddress = text()
        proxy.localServicePort = number()
        proxy.config = config()
        proxy.meshGatewayMode = random.pick(["", "remote"])
        if random.oneIn(2) {
            proxy.upstreams = (0..<random.pick([0, 1, 3])).map { _ in upstream() }
        }
        proxy.expose.checks = random.oneIn(2)
        if random.oneIn(3) {
            var path = ExposePath()
            path.listenerPort = number()
            path.path = text()
            path.protocolName = "http2"
            path.parsedFromCheck = random.oneIn(2)
            proxy.expose.paths = [path]
        }
        return proxy
    }

    mutating func service(id: String) -> CatalogService {
        var service = CatalogService()
        service.id = id
        service.name = random.pick(["web", "grün & <b>", "\"quoted\"", "日本"])
        service.tags = list()
        service.address = text()
        if random.oneIn(2) {
            service.taggedAddresses = [:]
            for name in (map() ?? [:]).keys {
                var address = ServiceAddress()
                address.address = text()
                address.port = number()
                service.taggedAddresses?[name] = address
            }
        }
        service.meta = meta()
        service.port = number()
        if random.oneIn(2) { service.weights = Weights(passing: number(), warning: number()) }
        service.enableTagOverride = random.oneIn(2)
        service.connect.native = random.oneIn(3)
        service.locallyRegisteredAsSidecar = random.oneIn(2)
        if random.oneIn(2) {
            service.kind = random.pick([.connectProxy, .meshGateway, .ingressGateway])
            service.proxy = proxy()
        }
        return service
    }

    mutating func check(id: String, serviceID: String) -> HealthCheck {
        var check = HealthCheck()
        check.id = id
        check.name = text()
        check.status = random.pick([.passing, .warning, .critical])
        check.notes = text()
        check.output = text()
        check.serviceID = serviceID
        check.serviceTags = list()
        check.type = random.pick(["", "ttl", "http"])
        if random.oneIn(2) {
            check.definition.http = text()
            check.definition.tlsSkipVerify = random.oneIn(2)
            check.definition.interval = random.pick([.zero, .seconds(10)])
            check.definition.ttl = random.pick([.zero, .seconds(3)])
            check.definition.outputMaxSize = random.pick([0, 4096])
            check.definition.scriptArguments = list()
            check.definition.header = map()?.mapValues { [$0, ""] }
        }
        return check
    }
}
