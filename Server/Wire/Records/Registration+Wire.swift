package import Model

extension ServiceRegistration: WireRecord {
    package static var goType: String {
        #"struct { EnableTagOverrideSnake bool "json:\"enable_tag_override\""; "#
            + #"TaggedAddressesSnake map[string]structs.ServiceAddress "#
            + #""json:\"tagged_addresses\""; *structs.Alias }"#
    }
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
        try visitor.field("Checks", &checks, goType: "structs.CheckTypes")
        try visitor.weights("Weights", &weights)
        try visitor.field("Token", &token)
        try visitor.field("EnableTagOverride", &enableTagOverride)
        try visitor.field("Proxy", &proxy)
        try visitor.field("Connect", &connect)
        try visitor.alias("tagged_addresses", &taggedAddresses)
        try visitor.alias("enable_tag_override", &enableTagOverride)
    }
}

/// The form of a check inside a service registration (Consul's `CheckType`).
///
/// `CheckDefinitionBody` is the form of a check on its own.
extension CheckRegistration: WireRecord {
    package static var goType: String { "" }
    package static var decodesItself: Bool { true }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("CheckID", &id, goType: "types.CheckID")
        try visitShared(&visitor)
        try visitor.field("ProxyHTTP", &proxyHTTP)
        try visitor.field("ProxyGRPC", &proxyGRPC)
        // Accepted, but the service is known already.
        var ignored = ""
        try visitor.alias("ServiceID", &ignored)
        try visitor.alias("service_id", &ignored)
    }

    /// The fields of both forms, and those of their snake-case names that Consul 1.8.7 accepts.
    fileprivate mutating func visitShared<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Name", &name)
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
        try visitor.field("DeregisterCriticalServiceAfter", &deregisterCriticalServiceAfter)
        try visitor.field("OutputMaxSize", &outputMaxSize)
        try visitor.alias("args", &scriptArguments)
        try visitor.alias("script_args", &scriptArguments)
        try visitor.alias("docker_container_id", &dockerContainerID)
        try visitor.alias("tls_skip_verify", &tlsSkipVerify)
        try visitor.alias(
            "deregister_critical_service_after",
            &deregisterCriticalServiceAfter
        )
    }
}

/// The body of `PUT /v1/agent/check/register` (Consul's `CheckDefinition`).
///
/// - Source: Consul: PUT /v1/agent/check/register.
package struct CheckDefinitionBody: WireRecord, Hashable {
    package var registration = CheckRegistration()

    package init() {}

    package init(_ registration: CheckRegistration) {
        self.registration = registration
    }

    package static var goType: String {
        #"struct { Interval interface {}; Timeout interface {}; TTL interface {}; "#
            + #"DeregisterCriticalServiceAfter interface {}; Args []string "json:\"args\""; "#
            + #"ScriptArgsSnake []string "json:\"script_args\""; "#
            + #"DeregisterCriticalServiceAfterSnake interface {} "#
            + #""json:\"deregister_critical_service_after\""; "#
            + #"DockerContainerIDSnake string "json:\"docker_container_id\""; "#
            + #"TLSSkipVerifySnake bool "json:\"tls_skip_verify\""; "#
            + #"ServiceIDSnake string "json:\"service_id\""; *structs.Alias }"#
    }
    package static var decodesItself: Bool { true }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("ID", &registration.id, goType: "types.CheckID")
        try visitor.field("ServiceID", &registration.serviceID)
        try visitor.field("Token", &registration.token)
        try registration.visitShared(&visitor)
        try visitor.alias("service_id", &registration.serviceID)
    }
}
