package import Model

extension HealthCheck: WireRecord {
    package static var goType: String { "structs.HealthCheck" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Node", &node)
        try visitor.field("CheckID", &id, goType: "types.CheckID")
        try visitor.field("Name", &name)
        try visitor.field("Status", &status)
        try visitor.field("Notes", &notes)
        try visitor.field("Output", &output)
        try visitor.field("ServiceID", &serviceID)
        try visitor.field("ServiceName", &serviceName)
        try visitor.field("ServiceTags", &serviceTags)
        try visitor.field("Type", &type)
        try visitor.field("Definition", &definition)
        try visitor.indexes(&indexes)
    }
}

extension HealthCheckDefinition: WireRecord {
    package static var goType: String { "structs.HealthCheckDefinition" }
    package static var decodesItself: Bool { true }
    package static var unknownKeys: UnknownKeys { .ignored }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.durationText("Interval", &interval, .omitEmpty)
        try visitor.field("OutputMaxSize", &outputMaxSize, .omitEmpty, goType: "uint")
        try visitor.durationText("Timeout", &timeout, .omitEmpty)
        try visitor.durationText(
            "DeregisterCriticalServiceAfter",
            &deregisterCriticalServiceAfter,
            .omitEmpty
        )
        try visitor.field("HTTP", &http, .omitEmpty)
        try visitor.field("TLSSkipVerify", &tlsSkipVerify, .omitEmpty)
        try visitor.field("Header", &header, .omitEmpty)
        try visitor.field("Method", &method, .omitEmpty)
        try visitor.field("Body", &body, .omitEmpty)
        try visitor.field("TCP", &tcp, .omitEmpty)
        try visitor.field("ScriptArgs", &scriptArguments, .omitEmpty)
        try visitor.field("DockerContainerID", &dockerContainerID, .omitEmpty)
        try visitor.field("Shell", &shell, .omitEmpty)
        try visitor.field("GRPC", &grpc, .omitEmpty)
        try visitor.field("GRPCUseTLS", &grpcUseTLS, .omitEmpty)
        try visitor.field("AliasNode", &aliasNode, .omitEmpty)
        try visitor.field("AliasService", &aliasService, .omitEmpty)
        try visitor.field("TTL", &ttl, .omitEmpty)
    }
}
