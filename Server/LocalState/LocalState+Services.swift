package import Model

/// How a registration is to be taken.
package struct RegistrationOptions: Sendable {
    package var source: RegistrationSource
    package var token: String
    /// Removes the service's checks that the registration does not name.
    package var replacesChecks: Bool
    /// Whether the registration must survive a restart.
    package var persists: Bool

    package init(
        source: RegistrationSource,
        token: String = "",
        replacesChecks: Bool = false,
        persists: Bool = true
    ) {
        self.source = source
        self.token = token
        self.replacesChecks = replacesChecks
        self.persists = persists
    }
}

extension LocalState {
    /// Registers a service with its checks, and the sidecar it asks for; nothing on an error.
    ///
    /// A service of the same id is replaced. Checks that are registered again keep their status and
    /// output, so a re-registration does not make a healthy service look failed.
    /// - Source: Consul: PUT /v1/agent/service/register.
    package mutating func register(
        _ registration: ServiceRegistration,
        options: RegistrationOptions,
        now: Instant,
        into effects: inout LocalEffects
    ) throws(RegistrationError) {
        let limits = configuration.limits
        try RegistrationRules(limits: limits).validate(registration)
        var service = CatalogService(registration)
        service.addDefaultTaggedAddresses()
        var sidecar: SidecarExpansion?
        if let nested = service.connect.sidecarService?.value {
            sidecar = try expandSidecar(nested, of: service, token: options.token)
            service.connect.sidecarService = nil
        }
        let checks = registration.definedChecks
        try admit(checks, from: options.source)
        try admit(sidecar?.checks ?? [], from: options.source)
        guard serviceTable[service.id] != nil || serviceTable.count < limits.services,
            checkTable.count + checks.count <= limits.checks
        else {
            throw RegistrationError(.failed, "Agent limit of services or checks reached")
        }
        put(service, checks: checks, options: options, now: now, into: &effects)
        if let sidecar {
            var sidecarOptions = options
            sidecarOptions.token = sidecar.token
            sidecarOptions.replacesChecks = true
            put(
                sidecar.service,
                checks: sidecar.checks,
                options: sidecarOptions,
                now: now,
                into: &effects
            )
        }
        refreshAliases(now: now, into: &effects)
    }

    /// Puts back a service that was kept on disk, exactly as it was registered.
    package mutating func restore(
        _ service: CatalogService,
        options: RegistrationOptions,
        now: Instant,
        into effects: inout LocalEffects
    ) throws(RegistrationError) {
        guard !service.name.isEmpty else {
            throw RegistrationError(.invalid, "Missing service name")
        }
        put(service, checks: [], options: options, now: now, into: &effects)
    }

    /// Removes a service, its checks, and the sidecar that it brought; true when it was there.
    ///
    /// - Source: Consul: PUT /v1/agent/service/deregister/:id (an unknown id is no error).
    @discardableResult
    package mutating func deregisterService(
        _ id: String,
        now: Instant,
        into effects: inout LocalEffects
    ) throws(RegistrationError) -> Bool {
        guard !id.isEmpty else { throw RegistrationError(.failed, "ServiceID missing") }
        guard service(id) != nil else {
            effects.note(.warning, "Failed to deregister service: service=\(id)")
            return false
        }
        let ids = (checksOfService[id] ?? []).sorted(by: precedes)
        for check in ids { drop(check: check, into: &effects) }
        let version = nextVersion()
        serviceTable[id]?.isDeleted = true
        serviceTable[id]?.inSync = false
        serviceTable[id]?.version = version
        unsyncedServices.insert(id)
        effects.persist.append(.removeService(id: id))
        effects.changedServices.append(id)
        effects.syncWanted = true
        effects.note(.debug, "removed service: service=\(id)")
        resetExposure(ofProxy: id, into: &effects)
        let sidecar = id + SidecarExpansion.idSuffix
        if service(sidecar)?.service.locallyRegisteredAsSidecar == true {
            try deregisterService(sidecar, now: now, into: &effects)
        }
        refreshAliases(now: now, into: &effects)
        return true
    }

    private mutating func put(
        _ service: CatalogService,
        checks: [CheckRegistration],
        options: RegistrationOptions,
        now: Instant,
        into effects: inout LocalEffects
    ) {
        noteUnresolvableNames(service, into: &effects)
        var entry = LocalService(
            service: service,
            token: options.token,
            source: options.source,
            version: lastVersion
        )
        if let previous = serviceTable[service.id], !previous.isDeleted,
            previous.service == service
        {
            entry.version = previous.version
            entry.inSync = previous.inSync
            entry.isInFlight = previous.isInFlight
        } else {
            entry.version = nextVersion()
            effects.changedServices.append(service.id)
        }
        serviceTable[service.id] = entry
        if !entry.inSync {
            unsyncedServices.insert(service.id)
            effects.syncWanted = true
        }
        if options.persists { effects.persist.append(.saveService(id: service.id)) }
        putChecks(checks, of: service, options: options, now: now, into: &effects)
        if service.proxy.expose.checks {
            expose(checksOf: service.proxy.destinationServiceID, proxy: service, into: &effects)
        }
    }

    private mutating func putChecks(
        _ checks: [CheckRegistration],
        of service: CatalogService,
        options: RegistrationOptions,
        now: Instant,
        into effects: inout LocalEffects
    ) {
        var kept: Set<String> = []
        for (position, definition) in checks.enumerated() {
            var definition = definition
            if definition.id.isEmpty {
                let suffix = checks.count > 1 ? ":\(position + 1)" : ""
                definition.id = "service:\(service.id)\(suffix)"
            }
            if definition.name.isEmpty { definition.name = "Service '\(service.name)' check" }
            definition.serviceID = service.id
            kept.insert(definition.id)
            put(definition, options: options, keepsStatus: true, now: now, into: &effects)
        }
        guard options.replacesChecks else { return }
        for id in (checksOfService[service.id] ?? []).sorted(by: precedes)
        where !kept.contains(id) {
            drop(check: id, into: &effects)
        }
    }

    private func noteUnresolvableNames(
        _ service: CatalogService,
        into effects: inout LocalEffects
    ) {
        if !RegistrationRules.isDNSLabel(service.name) {
            effects.note(
                .warning,
                "Service name will not be discoverable via DNS due to invalid characters. "
                    + "Valid characters include all alpha-numerics and dashes.: "
                    + "service=\(service.name)"
            )
        }
        for tag in service.tags ?? [] where !RegistrationRules.isDNSLabel(tag) {
            effects.note(
                .debug,
                "Service tag will not be discoverable via DNS due to invalid characters. "
                    + "Valid characters include all alpha-numerics and dashes.: tag=\(tag)"
            )
        }
    }
}
