import Model

extension RegistrationRules {
    /// - Source: Consul: docs/connect/registration/service-registration.
    static func collect(proxy service: CatalogService, into complaints: inout [String]) {
        if service.proxy.destinationServiceName.allSatisfy(\.isWhitespace) {
            complaints.append(
                "Proxy.DestinationServiceName must be non-empty for Connect proxy services"
            )
        }
        if service.port == 0 { complaints.append("Port must be set for a Connect proxy") }
        if service.connect.native {
            complaints.append("A Proxy cannot also be Connect Native, only typical services")
        }
        collect(upstreams: service.proxy.upstreams ?? [], into: &complaints)
        collect(paths: service.proxy.expose.paths ?? [], into: &complaints)
    }

    private static func collect(upstreams: [Upstream], into complaints: inout [String]) {
        var names: Set<String> = []
        var listeners: Set<String> = []
        for upstream in upstreams {
            if let complaint = complaint(about: upstream) {
                complaints.append(complaint)
                continue
            }
            guard names.insert(upstream.key).inserted else {
                complaints.append("upstreams cannot contain duplicates of \(upstream.key)")
                continue
            }
            let listener = upstream.listener
            guard listeners.insert(listener).inserted else {
                complaints.append(
                    "upstreams cannot contain duplicates by local bind address and port; "
                        + "\"\(listener)\" is specified twice"
                )
                continue
            }
        }
    }

    private static func complaint(about upstream: Upstream) -> String? {
        switch upstream.destinationType {
        case "", "service", "prepared_query": break
        default: return "unknown upstream destination type: \"\(upstream.destinationType)\""
        }
        if upstream.destinationName.isEmpty { return "upstream destination name cannot be empty" }
        if upstream.localBindPort == 0 { return "upstream local bind port cannot be zero" }
        return nil
    }

    private static func collect(paths: [ExposePath], into complaints: inout [String]) {
        var known: Set<String> = []
        var listeners: Set<Int> = []
        for path in paths {
            if path.path.isEmpty { complaints.append("expose.paths: empty path exposed") }
            if !known.insert(path.path).inserted, !path.path.isEmpty {
                complaints.append("expose.paths: duplicate paths exposed")
            }
            if !listeners.insert(path.listenerPort).inserted {
                complaints.append("expose.paths: duplicate listener ports exposed")
            }
            if path.listenerPort <= 0 || path.listenerPort > 65_535 {
                complaints.append("expose.paths: invalid listener port: \(path.listenerPort)")
            }
            let name = path.protocolName.lowercased()
            if !["", "http", "http2"].contains(name) {
                complaints.append(
                    "protocol '\(name)' not supported for path: \(path.path), "
                        + "must be in: [http http2]"
                )
            }
        }
    }

    /// - Source: Consul: docs/connect/gateways.
    static func collect(gateway service: CatalogService, into complaints: inout [String]) {
        let kind = service.kind.rawValue
        if service.port == 0, service.kind != .ingressGateway {
            complaints.append("Port must be non-zero for a \(kind)")
        }
        if service.connect.sidecarService != nil {
            complaints.append("A \(kind) cannot have a sidecar service defined")
        }
        let settings = [
            ("DestinationServiceName", !service.proxy.destinationServiceName.isEmpty),
            ("DestinationServiceID", !service.proxy.destinationServiceID.isEmpty),
            ("LocalServiceAddress", !service.proxy.localServiceAddress.isEmpty),
            ("LocalServicePort", service.proxy.localServicePort != 0),
            ("Upstreams", !(service.proxy.upstreams ?? []).isEmpty),
        ]
        for (name, isSet) in settings where isSet {
            complaints.append("The Proxy.\(name) configuration is invalid for a \(kind)")
        }
    }
}

extension ServiceKind {
    /// Whether it is one of the gateway kinds.
    var isGateway: Bool {
        self == .meshGateway || self == .terminatingGateway || self == .ingressGateway
    }
}

extension Upstream {
    /// What tells upstreams apart, in the form that complaints show.
    var key: String {
        let type = destinationType.isEmpty ? "service" : destinationType
        let place = datacenter.isEmpty ? "" : "?dc=\(datacenter)"
        return "upstream:\(type):\(destinationName)\(place)"
    }

    var listener: String {
        let address = localBindAddress.isEmpty ? "127.0.0.1" : localBindAddress
        return address.contains(":")
            ? "[\(address)]:\(localBindPort)" : "\(address):\(localBindPort)"
    }
}
