package import Model

/// A check that was registered with this agent, and its state machine.
package struct LocalCheck: Sendable {
    /// The record as the catalog gets it.
    package internal(set) var check: HealthCheck
    /// How it is run; nil for maintenance checks, which nobody runs.
    package internal(set) var definition: CheckRegistration?
    package var token: String
    package var source: RegistrationSource
    /// Moves with every change that the catalog must learn.
    package internal(set) var version: UInt64
    /// Whether the catalog has this version.
    package internal(set) var inSync = false
    /// Gone here, but not yet gone from the catalog.
    package internal(set) var isDeleted = false
    /// Since when it has been critical without a break.
    package internal(set) var criticalSince: Instant?
    var isInFlight = false
    /// When a change of output alone will be sent; nil unless one waits.
    var outputDue: Instant?
    /// When a TTL check turns critical; nil after it did, until the next report.
    var expiresAt: Instant?
    /// What the owner of a TTL check reported last.
    var lastReport = ""
    /// How long it may be critical before its service is removed; zero is for ever.
    var removalDelay = Nanoseconds.zero
    var outputLimit: Int
    /// Probes in a row with the same verdict, for the thresholds.
    var successes = 0
    var failures = 0
    /// The earliest of this check's entries in the deadline heap.
    var armedAt: Instant?

    init(
        check: HealthCheck,
        definition: CheckRegistration?,
        token: String,
        source: RegistrationSource,
        outputLimit: Int,
        version: UInt64
    ) {
        self.check = check
        self.definition = definition
        self.token = token
        self.source = source
        self.outputLimit = outputLimit
        self.version = version
    }

    var kind: CheckKind? { definition?.kind }

    /// When something of this check falls due, if ever.
    var nextDeadline: Instant? {
        let removal =
            removalDelay > .zero && !check.serviceID.isEmpty
            ? criticalSince?.advanced(by: removalDelay) : nil
        return [expiresAt, outputDue, removal].compactMap { $0 }.min()
    }
}

/// How a check finds its verdict; raw values are the catalog's `Type`.
package enum CheckKind: String, Hashable, Sendable {
    case grpc
    case http
    case ttl
    case tcp
    case alias
    case docker
    case script
}

extension CheckRegistration {
    /// What kind of check this asks for, or nil when it asks for none.
    ///
    /// - Source: Consul: `Type` in GET /v1/agent/checks.
    package var kind: CheckKind? {
        if !grpc.isEmpty { return .grpc }
        if !http.isEmpty { return .http }
        if ttl > .zero { return .ttl }
        if !tcp.isEmpty { return .tcp }
        if isAlias { return .alias }
        guard !scriptArguments.isEmpty else { return nil }
        return dockerContainerID.isEmpty ? .script : .docker
    }

    var isAlias: Bool { !aliasNode.isEmpty || !aliasService.isEmpty }

    /// Whether nothing was said at all; a service's `Check` of this form is no check.
    package var isEmpty: Bool { self == CheckRegistration() }
}

extension HealthCheck {
    /// Whether the catalog's record needs no write to say the same as this one.
    func isSame(as other: HealthCheck, ignoringOutput: Bool) -> Bool {
        node == other.node && id == other.id && name == other.name && status == other.status
            && notes == other.notes && (ignoringOutput || output == other.output)
            && serviceID == other.serviceID && serviceName == other.serviceName
            && (serviceTags ?? []) == (other.serviceTags ?? [])
            && definition == other.definition
    }
}
