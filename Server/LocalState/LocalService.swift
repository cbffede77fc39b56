package import Model

/// Who asked for a registration.
package enum RegistrationSource: String, Hashable, Sendable {
    /// A configuration file; forgotten and read again on reload.
    case local
    /// The HTTP API; kept across restarts.
    case remote
}

/// A service that was registered with this agent.
package struct LocalService: Sendable {
    package var service: CatalogService
    /// The token its catalog writes use; empty for the agent's own.
    package var token: String
    package var source: RegistrationSource
    /// Moves with every change that the catalog must learn.
    package internal(set) var version: UInt64
    /// Whether the catalog has this version.
    package internal(set) var inSync = false
    /// Gone here, but not yet gone from the catalog.
    package internal(set) var isDeleted = false
    var isInFlight = false

    init(service: CatalogService, token: String, source: RegistrationSource, version: UInt64) {
        self.service = service
        self.token = token
        self.source = source
        self.version = version
    }
}

extension CatalogService {
    /// The service that a registration describes, with the defaults that the agent fills in.
    ///
    /// - Source: Consul: PUT /v1/agent/service/register.
    package init(_ registration: ServiceRegistration) {
        self.init()
        kind = registration.kind
        id = registration.id.isEmpty ? registration.name : registration.id
        name = registration.name
        tags = registration.tags
        address = registration.address
        if registration.taggedAddresses?.isEmpty == false {
            taggedAddresses = registration.taggedAddresses
        }
        meta = registration.meta
        port = registration.port
        weights = registration.weights ?? Weights()
        enableTagOverride = registration.enableTagOverride
        if var proxy = registration.proxy {
            for position in (proxy.upstreams ?? []).indices
            where proxy.upstreams?[position].destinationType.isEmpty == true {
                proxy.upstreams?[position].destinationType = "service"
            }
            self.proxy = proxy
        }
        if let connect = registration.connect { self.connect = connect }
    }

    /// Adds the tagged addresses of the address's own family where the registration named none.
    ///
    /// - Source: Consul: GET /v1/agent/service/:id of a service with an address.
    mutating func addDefaultTaggedAddresses() {
        let family: String
        if address.isIPv4Literal {
            family = "ipv4"
        } else if address.isIPv6Literal {
            family = "ipv6"
        } else {
            return
        }
        var own = ServiceAddress()
        own.address = address
        own.port = port
        for place in ["lan", "wan"] where taggedAddresses?["\(place)_\(family)"] == nil {
            taggedAddresses = taggedAddresses ?? [:]
            taggedAddresses?["\(place)_\(family)"] = own
        }
    }

    /// Whether the catalog's record needs no write to say the same as this one.
    ///
    /// Absent and empty lists count as equal: the catalog cannot always tell them apart.
    func isSame(as other: CatalogService) -> Bool {
        var left = self
        var right = other
        left.normalize()
        right.normalize()
        return left == right
    }

    private mutating func normalize() {
        tags = tags ?? []
        taggedAddresses = taggedAddresses ?? [:]
        meta = meta ?? [:]
        weights = weights ?? Weights()
        proxy.config = proxy.config ?? [:]
        proxy.upstreams = proxy.upstreams ?? []
        proxy.expose.paths = proxy.expose.paths ?? []
        // A property of the agent alone; the catalog's record never has it.
        locallyRegisteredAsSidecar = false
        indexes = RecordIndexes()
    }
}

extension String {
    /// Whether this is a dotted IPv4 address.
    package var isIPv4Literal: Bool {
        let parts = utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                let digits = part.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
                return digits && (1...3).contains(part.count)
                    && (UInt16(Substring(part)) ?? 256) <= 255
            }
    }

    /// Whether this is an IPv6 address, without brackets or zone.
    ///
    /// - Source: RFC 4291 §2.2.
    package var isIPv6Literal: Bool {
        guard contains(":"), !contains(":::") else { return false }
        var groups = 0
        var gaps = 0
        let halves = split(separator: ":", omittingEmptySubsequences: false)
        for (position, group) in halves.enumerated() {
            if group.isEmpty {
                let isEdge = position == 0 || position == halves.count - 1
                if !isEdge { gaps += 1 }
            } else if position == halves.count - 1, String(group).isIPv4Literal {
                groups += 2
            } else {
                guard group.utf8.count <= 4, UInt32(group, radix: 16) != nil else { return false }
                groups += 1
            }
        }
        if self == "::" { return true }
        if hasPrefix(":"), !hasPrefix("::") { return false }
        if hasSuffix(":"), !hasSuffix("::") { return false }
        let hasGap = gaps > 0 || hasPrefix("::") || hasSuffix("::")
        return hasGap ? groups < 8 && gaps <= 1 : groups == 8
    }
}
