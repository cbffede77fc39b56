import Model
package import Wire

/// The forms that the agent's own records have in replies.
///
/// - Source: Consul: api-docs/agent/service, api-docs/agent/check, api-docs/agent/agent.
enum AgentJSON {
    /// A service, as `agent/services` shows it.
    static func service(
        _ service: CatalogService,
        contentHash: String = "",
        into writer: inout JSONWriter
    ) {
        writer.beginObject()
        if service.kind != .typical {
            writer.key("Kind")
            writer.string(service.kind.rawValue)
        }
        writer.key("ID")
        writer.string(service.id)
        writer.key("Service")
        writer.string(service.name)
        writer.key("Tags")
        writer.value(service.tags ?? [])
        writer.key("Meta")
        writer.value(service.meta ?? [:])
        writer.key("Port")
        writer.integer(service.port)
        writer.key("Address")
        writer.string(service.address)
        if let addresses = service.taggedAddresses, !addresses.isEmpty {
            writer.key("TaggedAddresses")
            writer.value(addresses)
        }
        writer.key("Weights")
        writer.value(WireWeights(service.weights ?? Weights()))
        writer.key("EnableTagOverride")
        writer.bool(service.enableTagOverride)
        if !contentHash.isEmpty {
            writer.key("ContentHash")
            writer.string(contentHash)
        }
        if service.kind.hasProxy {
            writer.key("Proxy")
            proxy(service.proxy, into: &writer)
        }
        if service.connect.native {
            writer.key("Connect")
            writer.beginObject()
            writer.key("Native")
            writer.bool(true)
            writer.endObject()
        }
        writer.endObject()
    }

    /// The proxy part; unlike in the catalog, an upstream shows only what it says.
    private static func proxy(_ proxy: ProxyConfiguration, into writer: inout JSONWriter) {
        var rest = proxy
        rest.upstreams = nil
        guard let upstreams = proxy.upstreams, !upstreams.isEmpty else {
            return writer.value(rest)
        }
        writer.beginObject()
        let texts: [(StaticString, String)] = [
            ("DestinationServiceName", proxy.destinationServiceName),
            ("DestinationServiceID", proxy.destinationServiceID),
            ("LocalServiceAddress", proxy.localServiceAddress),
        ]
        present(texts, ("LocalServicePort", proxy.localServicePort), proxy.config, into: &writer)
        writer.key("Upstreams")
        writer.beginArray()
        for upstream in upstreams { self.upstream(upstream, into: &writer) }
        writer.endArray()
        gateway(proxy.meshGatewayMode, into: &writer)
        writer.key("Expose")
        writer.value(proxy.expose)
        writer.endObject()
    }

    private static func upstream(_ upstream: Upstream, into writer: inout JSONWriter) {
        writer.beginObject()
        let texts: [(StaticString, String)] = [
            ("DestinationType", upstream.destinationType),
            ("DestinationNamespace", upstream.destinationNamespace),
            ("DestinationName", upstream.destinationName),
            ("Datacenter", upstream.datacenter),
            ("LocalBindAddress", upstream.localBindAddress),
        ]
        present(texts, ("LocalBindPort", upstream.localBindPort), upstream.config, into: &writer)
        gateway(upstream.meshGatewayMode, into: &writer)
        writer.endObject()
    }

    /// Texts, a port and settings, those that there are.
    private static func present(
        _ texts: [(StaticString, String)],
        _ port: (StaticString, Int),
        _ config: [String: JSONValue]?,
        into writer: inout JSONWriter
    ) {
        for (name, value) in texts where !value.isEmpty {
            writer.key(name)
            writer.string(value)
        }
        if port.1 != 0 {
            writer.key(port.0)
            writer.integer(port.1)
        }
        if let config, !config.isEmpty {
            writer.key("Config")
            writer.value(config)
        }
    }

    private static func gateway(_ mode: String, into writer: inout JSONWriter) {
        writer.key("MeshGateway")
        writer.beginObject()
        if !mode.isEmpty {
            writer.key("Mode")
            writer.string(mode)
        }
        writer.endObject()
    }

    /// A name for exactly this description of a service.
    ///
    /// - Source: Fowler, Noll, Vo: FNV-1a, 64 bits, over the service's JSON.
    static func contentHash(of service: CatalogService) -> String {
        var writer = JSONWriter(capacity: 512)
        self.service(service, into: &writer)
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in writer.bytes {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        return String(hash, radix: 16)
    }

    /// A check, as `agent/health` shows it: without type, its definition spelled out empty.
    static func healthCheck(_ check: HealthCheck, into writer: inout JSONWriter) {
        writer.beginObject()
        let texts: [(StaticString, String)] = [
            ("Node", check.node), ("CheckID", check.id), ("Name", check.name),
            ("Status", check.status.rawValue), ("Notes", check.notes), ("Output", check.output),
            ("ServiceID", check.serviceID), ("ServiceName", check.serviceName),
        ]
        for (name, value) in texts {
            writer.key(name)
            writer.string(value)
        }
        writer.key("ServiceTags")
        writer.value(check.serviceTags)
        writer.key("Type")
        writer.string("")
        writer.key("Definition")
        writer.raw(emptyDefinition.utf8)
        writer.key("CreateIndex")
        writer.unsigned(0)
        writer.key("ModifyIndex")
        writer.unsigned(0)
        writer.endObject()
    }

    private static let emptyDefinition =
        #"{"Interval":"0s","Timeout":"0s","DeregisterCriticalServiceAfter":"0s","HTTP":"","#
        + #""Header":null,"Method":"","Body":"","TLSSkipVerify":false,"TCP":""}"#

    /// A member, as `agent/members` and `agent/self` show it.
    static func member(_ member: AgentMember, into writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("Name")
        writer.string(member.name)
        writer.key("Addr")
        writer.string(member.address)
        writer.key("Port")
        writer.integer(member.port)
        writer.key("Tags")
        writer.value(member.tags)
        writer.key("Status")
        writer.integer(member.status)
        let versions: [(StaticString, Int)] = [
            ("ProtocolMin", 1), ("ProtocolMax", 5), ("ProtocolCur", 2),
            ("DelegateMin", 2), ("DelegateMax", 5), ("DelegateCur", 4),
        ]
        for (name, value) in versions {
            writer.key(name)
            writer.integer(value)
        }
        writer.endObject()
    }
}

extension ServiceKind {
    /// Whether services of this kind show their `Proxy` part.
    fileprivate var hasProxy: Bool {
        [.connectProxy, .meshGateway, .terminatingGateway, .ingressGateway].contains(self)
    }
}

extension AgentMember {
    /// Appends the member as `agent/members` shows it.
    package func writeJSON(into writer: inout JSONWriter) {
        AgentJSON.member(self, into: &writer)
    }
}
