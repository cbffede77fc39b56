package import Model

extension ServiceRegistration: WireRecord {
    package static var goType: String { "" }
    package static var decodesItself: Bool { true }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Kind", &kind, .omitEmpty)
        try visitor.field("ID", &id)
        try visitor.field("Name", &name)
        try visitor.field("Tags", &tags)
        try visitor.field("Address", &address)
        try visitor.field("TaggedAddresses", &taggedAddresses)
        try visitor.field("Meta", &meta)
        try visitor.field("Port", &port)
        try visitor.field("Check", &check)
        try visitor.field("Checks", &checks)
        try visitor.field("Weights", &weights)
        try visitor.field("Token", &token)
        try visitor.field("EnableTagOverride", &enableTagOverride)
        try visitor.field("Proxy", &proxy)
        try visitor.field("Connect", &connect)
        try visitor.alias("tagged_addresses", &taggedAddresses)
        try visitor.alias("enable_tag_override", &enableTagOverride)
    }
}

extension CheckRegistration: WireRecord {
    package static var goType: String { "" }
    package static var decodesItself: Bool { true }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        if Visitor.isJSON, Visitor.isReading {
            // `CheckID` of a service's check and `ID` of one on its own mean the same.
            try visitor.field("CheckID", &id, goType: "types.CheckID")
            try visitor.field("ID", &id, goType: "types.CheckID")
        } else {
            try visitor.field("CheckID", &id)
        }
        try visitor.field("Name", &name)
        try visitor.field("ServiceID", &serviceID)
        try visitor.field("Token", &token)
        try visitor.field("Status", &status)
        try visitor.field("Notes", &notes)
        try visitor.field("ScriptArgs", &scriptArguments)
        try visitor.field("HTTP", &http)
        try visitor.field("Header", &header)
        try visitor.field("Method", &method)
        try visitor.field("Body", &body)
        try visitor.field("TCP", &tcp)
        try visitor.field("Interval", &interval)
        try visitor.field("AliasNode", &aliasNode)
        try visitor.field("AliasService", &aliasService)
        try visitor.field("DockerContainerID", &dockerContainerID)
        try visitor.field("Shell", &shell)
        try visitor.field("GRPC", &grpc)
        try visitor.field("GRPCUseTLS", &grpcUseTLS)
        try visitor.field("TLSSkipVerify", &tlsSkipVerify)
        try visitor.field("Timeout", &timeout)
        try visitor.field("TTL", &ttl)
        try visitor.field("SuccessBeforePassing", &successBeforePassing)
        try visitor.field("FailuresBeforeCritical", &failuresBeforeCritical)
        try visitor.field("ProxyHTTP", &proxyHTTP)
        try visitor.field("ProxyGRPC", &proxyGRPC)
        try visitor.field("DeregisterCriticalServiceAfter", &deregisterCriticalServiceAfter)
        try visitor.field("OutputMaxSize", &outputMaxSize)
        try visitAliases(&visitor)
    }

    /// The names of configuration files, which the HTTP API accepts too.
    private mutating func visitAliases<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.alias("args", &scriptArguments)
        try visitor.alias("script_args", &scriptArguments)
        try visitor.alias("service_id", &serviceID)
        try visitor.alias("alias_node", &aliasNode)
        try visitor.alias("alias_service", &aliasService)
        try visitor.alias("docker_container_id", &dockerContainerID)
        try visitor.alias("grpc_use_tls", &grpcUseTLS)
        try visitor.alias("tls_skip_verify", &tlsSkipVerify)
        try visitor.alias("success_before_passing", &successBeforePassing)
        try visitor.alias("failures_before_critical", &failuresBeforeCritical)
        try visitor.alias(
            "deregister_critical_service_after",
            &deregisterCriticalServiceAfter
        )
    }
}
