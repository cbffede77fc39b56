package import Model

extension ProxyConfiguration: WireRecord {
    package static var goType: String { "structs.ConnectProxyConfig" }
    package static var decodesItself: Bool { true }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        var gateway = MeshGateway(mode: meshGatewayMode)
        try visitor.field("DestinationServiceName", &destinationServiceName, .omitEmpty)
        try visitor.field("DestinationServiceID", &destinationServiceID, .omitEmpty)
        try visitor.field("LocalServiceAddress", &localServiceAddress, .omitEmpty)
        try visitor.field("LocalServicePort", &localServicePort, .omitEmpty)
        try visitor.field("Config", &config, .omitEmpty)
        try visitor.field("Upstreams", &upstreams, .omitEmpty)
        try visitor.field("MeshGateway", &gateway)
        try visitor.field("Expose", &expose)
        try visitor.alias("destination_service_name", &destinationServiceName)
        try visitor.alias("destination_service_id", &destinationServiceID)
        try visitor.alias("local_service_address", &localServiceAddress)
        try visitor.alias("local_service_port", &localServicePort)
        if Visitor.isReading { meshGatewayMode = gateway.mode }
    }
}

extension Upstream: WireRecord {
    package static var goType: String { "structs.Upstream" }
    package static var decodesItself: Bool { true }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        var gateway = MeshGateway(mode: meshGatewayMode)
        try visitor.field("DestinationType", &destinationType)
        try visitor.field("DestinationNamespace", &destinationNamespace, .omitEmpty)
        try visitor.field("DestinationName", &destinationName)
        try visitor.field("Datacenter", &datacenter)
        try visitor.field("LocalBindAddress", &localBindAddress, .omitEmpty)
        try visitor.field("LocalBindPort", &localBindPort)
        try visitor.field("Config", &config)
        try visitor.field("MeshGateway", &gateway)
        if !Visitor.isJSON { try visitor.field("IngressHosts", &ingressHosts) }
        try visitor.alias("destination_type", &destinationType)
        try visitor.alias("destination_namespace", &destinationNamespace)
        try visitor.alias("destination_name", &destinationName)
        try visitor.alias("local_bind_address", &localBindAddress)
        try visitor.alias("local_bind_port", &localBindPort)
        if Visitor.isReading { meshGatewayMode = gateway.mode }
    }
}

/// The object around a mesh gateway mode.
private struct MeshGateway: WireRecord {
    var mode = ""

    init() {}

    init(mode: String) {
        self.mode = mode
    }

    static var goType: String { "structs.MeshGatewayConfig" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Mode", &mode, .omitEmpty)
    }
}

extension ExposeConfiguration: WireRecord {
    package static var goType: String { "structs.ExposeConfig" }
    package static var decodesItself: Bool { true }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Checks", &checks, .omitEmpty)
        try visitor.field("Paths", &paths, .omitEmpty)
    }
}

extension ExposePath: WireRecord {
    package static var goType: String { "structs.ExposePath" }
    package static var decodesItself: Bool { true }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("ListenerPort", &listenerPort, .omitEmpty)
        try visitor.field("Path", &path, .omitEmpty)
        try visitor.field("LocalPathPort", &localPathPort, .omitEmpty)
        try visitor.field("Protocol", &protocolName, .omitEmpty)
        try visitor.field("ParsedFromCheck", &parsedFromCheck)
        try visitor.alias("listener_port", &listenerPort)
        try visitor.alias("local_path_port", &localPathPort)
    }
}
