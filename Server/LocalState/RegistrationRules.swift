package import Model

/// What a registration must satisfy; the texts are Consul's.
///
/// - Source: Consul: PUT /v1/agent/service/register, PUT /v1/agent/check/register.
package struct RegistrationRules: Sendable {
    var limits: LocalLimits

    package init(limits: LocalLimits) {
        self.limits = limits
    }

    /// Refuses a service registration that the catalog would refuse too.
    package func validate(_ registration: ServiceRegistration) throws(RegistrationError) {
        guard !registration.name.isEmpty else {
            throw RegistrationError(.invalid, "Missing service name")
        }
        if Self.isUnspecified(registration.address) {
            throw RegistrationError(.invalid, "Invalid service address")
        }
        if let weights = registration.weights { try Self.validate(weights) }
        try validate(metadata: registration.meta ?? [:])
        try validate(CatalogService(registration))
        try Self.validate(checks: registration, prefix: "Invalid check: ")
        if let sidecar = registration.connect?.sidecarService?.value {
            try Self.validate(checks: sidecar, prefix: "Invalid check in sidecar_service: ")
        }
    }

    /// Refuses a service whose kind and proxy settings contradict each other.
    func validate(_ service: CatalogService) throws(RegistrationError) {
        var complaints: [String] = []
        if service.kind == .connectProxy { Self.collect(proxy: service, into: &complaints) }
        if service.kind.isGateway { Self.collect(gateway: service, into: &complaints) }
        if let nested = service.connect.sidecarService?.value {
            if !nested.id.isEmpty {
                complaints.append(
                    "A SidecarService cannot specify an ID as this is managed by the agent"
                )
            }
            if nested.connect?.sidecarService != nil {
                complaints.append("A SidecarService cannot have a nested SidecarService")
            }
        }
        guard complaints.isEmpty else {
            throw RegistrationError(.invalid, errorList(complaints))
        }
    }

    static func validate(_ weights: Weights) throws(RegistrationError) {
        let largest = 65_535
        if weights.passing < 1 {
            throw RegistrationError(
                .invalid,
                "Invalid Weights: Passing must be greater than 0"
            )
        }
        if weights.warning < 0 {
            throw RegistrationError(
                .invalid,
                "Invalid Weights: Warning must be greater or equal than 0"
            )
        }
        guard weights.passing <= largest, weights.warning <= largest else {
            throw RegistrationError(
                .invalid,
                "Invalid Weights: DNS Weight must be between 0 and \(largest)"
            )
        }
    }

    func validate(metadata: [String: String]) throws(RegistrationError) {
        guard metadata.count <= limits.metadataPairs else {
            throw RegistrationError(
                .invalid,
                "Invalid Service Meta: Node metadata cannot contain more than "
                    + "\(limits.metadataPairs) key/value pairs"
            )
        }
        for (key, value) in metadata.sorted(by: { precedes($0.key, $1.key) }) {
            guard let complaint = complaint(key: key, value: value) else { continue }
            throw RegistrationError(
                .invalid,
                "Invalid Service Meta: Couldn't load metadata pair ('\(key)', '\(value)'): "
                    + complaint
            )
        }
    }

    private func complaint(key: String, value: String) -> String? {
        if key.isEmpty { return "Key cannot be blank" }
        guard key.utf8.allSatisfy({ Self.isAlphanumeric($0) || $0 == 0x2d || $0 == 0x5f }) else {
            return "Key contains invalid characters"
        }
        if key.utf8.count > limits.metadataKeyBytes {
            return "Key is too long (limit: \(limits.metadataKeyBytes) characters)"
        }
        if key.hasPrefix("consul-") { return "Key prefix 'consul-' is reserved for internal use" }
        if value.utf8.count > limits.metadataValueBytes {
            return "Value is too long (limit: \(limits.metadataValueBytes) characters)"
        }
        return nil
    }

    // MARK: Checks

    static func validate(
        checks registration: ServiceRegistration,
        prefix: String
    ) throws(RegistrationError) {
        let checks = registration.definedChecks
        for check in checks { try validate(check, prefix: prefix) }
        for check in checks where !check.status.isEmpty {
            guard CheckStatus(rawValue: check.status).isValid else {
                throw RegistrationError(
                    .invalid,
                    "Status for checks must 'passing', 'warning', 'critical'"
                )
            }
        }
    }

    /// Refuses a check that could not be run as described.
    package static func validate(
        _ check: CheckRegistration,
        prefix: String
    ) throws(RegistrationError) {
        guard let complaint = complaint(about: check) else { return }
        throw RegistrationError(.invalid, prefix + complaint)
    }

    private static func complaint(about check: CheckRegistration) -> String? {
        let isProbe =
            !check.scriptArguments.isEmpty || !check.http.isEmpty || !check.tcp.isEmpty
            || !check.grpc.isEmpty
        if check.interval > .zero, check.ttl > .zero {
            return "Interval and TTL cannot both be specified"
        }
        if isProbe, check.interval <= .zero {
            return "Interval must be > 0 for Script, HTTP, or TCP checks"
        }
        if isProbe, check.isAlias { return "Interval cannot be set for Alias checks" }
        if check.isAlias, check.ttl > .zero { return "TTL must be not be set for Alias checks" }
        if !isProbe, !check.isAlias, check.ttl <= .zero {
            return "TTL must be > 0 for TTL checks"
        }
        if check.outputMaxSize < 0 { return "MaxOutputMaxSize must be positive" }
        return nil
    }

    // MARK: Names and addresses

    /// Whether DNS can carry the name: letters, digits and inner dashes, at most 63 bytes.
    static func isDNSLabel(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, let last = bytes.last, bytes.count <= 63 else {
            return false
        }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x2d }
    }

    static func isUnspecified(_ address: String) -> Bool {
        ["0.0.0.0", "::", "[::]"].contains(address)
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: false
        }
    }
}

extension ServiceRegistration {
    /// `Check`, unless it says nothing, and then `Checks`.
    package var definedChecks: [CheckRegistration] {
        guard let check, !check.isEmpty else { return checks }
        return [check] + checks
    }
}
