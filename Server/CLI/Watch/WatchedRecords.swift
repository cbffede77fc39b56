import Model
import Wire

// The fields of Consul's client types in their order: what `watch` prints is not the reply itself.

/// A node, as `watch -type nodes` shows it.
struct WatchedNode: WireRecord {
    var node = Node()

    static var goType: String { "api.Node" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try node.visit(&visitor)
    }
}

/// A key, as `watch -type key` and `keyprefix` show it.
struct WatchedKey: WireRecord {
    var entry = KeyValueEntry()

    static var goType: String { "api.KVPair" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Key", &entry.key)
        try visitor.indexes(&entry.indexes)
        try visitor.field("LockIndex", &entry.lockIndex)
        try visitor.field("Flags", &entry.flags)
        try visitor.bytes("Value", &entry.value)
        try visitor.field("Session", &entry.session)
    }
}

/// An instance, as `watch -type service` shows it.
struct WatchedEntry: WireRecord {
    var node = WatchedNode()
    var service = WatchedService()
    var checks: [WatchedCheck]?

    static var goType: String { "api.ServiceEntry" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Node", &node)
        try visitor.field("Service", &service)
        try visitor.field("Checks", &checks)
    }
}

/// The service of an instance.
struct WatchedService: WireRecord {
    var service = CatalogService()

    static var goType: String { "api.AgentService" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        var weights = WireWeights(service.weights ?? Weights(passing: 0, warning: 0))
        try visitor.field("Kind", &service.kind, .omitEmpty)
        try visitor.field("ID", &service.id)
        try visitor.field("Service", &service.name)
        try visitor.field("Tags", &service.tags)
        try visitor.field("Meta", &service.meta)
        try visitor.field("Port", &service.port)
        try visitor.field("Address", &service.address)
        try visitor.field("TaggedAddresses", &service.taggedAddresses, .omitEmpty)
        try visitor.field("Weights", &weights)
        try visitor.field("EnableTagOverride", &service.enableTagOverride)
        try visitor.indexes(&service.indexes)
        var proxy = WatchedProxy(proxy: service.proxy)
        try visitor.field("Proxy", &proxy)
        try visitor.field("Connect", &service.connect)
        if Visitor.isReading {
            service.weights = weights.weights
            service.proxy = proxy.proxy
        }
    }
}

/// The proxy part of a service.
struct WatchedProxy: WireRecord {
    var proxy = ProxyConfiguration()

    init() {}

    init(proxy: ProxyConfiguration) {
        self.proxy = proxy
    }

    static var goType: String { "api.AgentServiceConnectProxyConfig" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        var upstreams = (proxy.upstreams ?? []).map { WatchedUpstream(upstream: $0) }
        var gateway = WatchedGateway(mode: proxy.meshGatewayMode)
        try visitor.field("DestinationServiceName", &proxy.destinationServiceName, .omitEmpty)
        try visitor.field("DestinationServiceID", &proxy.destinationServiceID, .omitEmpty)
        try visitor.field("LocalServiceAddress", &proxy.localServiceAddress, .omitEmpty)
        try visitor.field("LocalServicePort", &proxy.localServicePort, .omitEmpty)
        try visitor.field("Config", &proxy.config, .omitEmpty)
        try visitor.field("Upstreams", &upstreams, .omitEmpty)
        try visitor.field("MeshGateway", &gateway)
        try visitor.field("Expose", &proxy.expose)
        if Visitor.isReading {
            proxy.upstreams = upstreams.map(\.upstream)
            proxy.meshGatewayMode = gateway.mode
        }
    }
}

/// An upstream of a proxy.
struct WatchedUpstream: WireRecord {
    var upstream = Upstream()

    init() {}

    init(upstream: Upstream) {
        self.upstream = upstream
    }

    static var goType: String { "api.Upstream" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        var gateway = WatchedGateway(mode: upstream.meshGatewayMode)
        try visitor.field("DestinationType", &upstream.destinationType, .omitEmpty)
        try visitor.field("DestinationNamespace", &upstream.destinationNamespace, .omitEmpty)
        try visitor.field("DestinationName", &upstream.destinationName)
        try visitor.field("Datacenter", &upstream.datacenter, .omitEmpty)
        try visitor.field("LocalBindAddress", &upstream.localBindAddress, .omitEmpty)
        try visitor.field("LocalBindPort", &upstream.localBindPort, .omitEmpty)
        try visitor.field("Config", &upstream.config, .omitEmpty)
        try visitor.field("MeshGateway", &gateway)
        if Visitor.isReading { upstream.meshGatewayMode = gateway.mode }
    }
}

/// The object around a mesh gateway mode.
struct WatchedGateway: WireRecord {
    var mode = ""

    static var goType: String { "api.MeshGatewayConfig" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Mode", &mode, .omitEmpty)
    }
}

/// A check, as `watch -type checks` shows it.
struct WatchedCheck: WireRecord {
    var check = HealthCheck()

    static var goType: String { "api.HealthCheck" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        var definition = WatchedDefinition(definition: check.definition)
        try visitor.field("Node", &check.node)
        try visitor.field("CheckID", &check.id)
        try visitor.field("Name", &check.name)
        try visitor.field("Status", &check.status)
        try visitor.field("Notes", &check.notes)
        try visitor.field("Output", &check.output)
        try visitor.field("ServiceID", &check.serviceID)
        try visitor.field("ServiceName", &check.serviceName)
        try visitor.field("ServiceTags", &check.serviceTags)
        try visitor.field("Type", &check.type)
        try visitor.field("Definition", &definition)
        try visitor.indexes(&check.indexes)
        if Visitor.isReading { check.definition = definition.definition }
    }
}

/// The part of a check's definition that Consul's client knows; nothing is left out.
struct WatchedDefinition: WireRecord {
    var definition = HealthCheckDefinition()

    init() {}

    init(definition: HealthCheckDefinition) {
        self.definition = definition
    }

    static var goType: String { "api.HealthCheckDefinition" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.durationText("Interval", &definition.interval)
        try visitor.durationText("Timeout", &definition.timeout)
        try visitor.durationText(
            "DeregisterCriticalServiceAfter",
            &definition.deregisterCriticalServiceAfter
        )
        try visitor.field("HTTP", &definition.http)
        try visitor.field("Header", &definition.header)
        try visitor.field("Method", &definition.method)
        try visitor.field("Body", &definition.body)
        try visitor.field("TLSSkipVerify", &definition.tlsSkipVerify)
        try visitor.field("TCP", &definition.tcp)
    }
}

/// An event, as `watch -type event` shows it.
struct WatchedEvent: WireRecord {
    var id = ""
    var name = ""
    var payload = WireBytes()
    var nodeFilter = ""
    var serviceFilter = ""
    var tagFilter = ""
    var version = 0
    var time: UInt64 = 0

    static var goType: String { "api.UserEvent" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("ID", &id)
        try visitor.field("Name", &name)
        try visitor.field("Payload", &payload)
        try visitor.field("NodeFilter", &nodeFilter)
        try visitor.field("ServiceFilter", &serviceFilter)
        try visitor.field("TagFilter", &tagFilter)
        try visitor.field("Version", &version)
        try visitor.field("LTime", &time)
    }
}
