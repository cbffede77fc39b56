package import Model

extension LocalState {
    /// Registers a check on its own: of the node, or of the service that `serviceID` names.
    ///
    /// - Source: Consul: PUT /v1/agent/check/register.
    package mutating func register(
        check definition: CheckRegistration,
        options: RegistrationOptions,
        keepsStatus: Bool = false,
        now: Instant,
        into effects: inout LocalEffects
    ) throws(RegistrationError) {
        var definition = definition
        guard !definition.name.isEmpty else {
            throw RegistrationError(.invalid, "Missing check name")
        }
        if !definition.status.isEmpty {
            guard CheckStatus(rawValue: definition.status).isValid else {
                throw RegistrationError(.invalid, "Bad check status")
            }
        }
        try RegistrationRules.validate(definition, prefix: "Invalid check: ")
        try admit([definition], from: options.source)
        if definition.id.isEmpty { definition.id = definition.name }
        guard definition.serviceID.isEmpty || service(definition.serviceID) != nil else {
            throw RegistrationError(
                .failed,
                "ServiceID \"\(definition.serviceID)\" does not exist"
            )
        }
        guard checkTable[definition.id] != nil || checkTable.count < configuration.limits.checks
        else {
            throw RegistrationError(.failed, "Agent limit of services or checks reached")
        }
        put(definition, options: options, keepsStatus: keepsStatus, now: now, into: &effects)
        refreshAliases(now: now, into: &effects)
    }

    /// Removes a check; an unknown id is no error.
    ///
    /// - Source: Consul: PUT /v1/agent/check/deregister/:id.
    package mutating func deregisterCheck(
        _ id: String,
        now: Instant,
        into effects: inout LocalEffects
    ) throws(RegistrationError) {
        guard !id.isEmpty else { throw RegistrationError(.failed, "CheckID missing") }
        drop(check: id, into: &effects)
        refreshAliases(now: now, into: &effects)
    }

    /// Refuses checks that run programs where the configuration does not allow them.
    func admit(
        _ checks: [CheckRegistration],
        from source: RegistrationSource
    ) throws(RegistrationError) {
        for check in checks where !check.scriptArguments.isEmpty {
            switch source {
            case .local where !configuration.allowsLocalScripts:
                throw RegistrationError(
                    .failed,
                    "Scripts are disabled on this agent; to enable, configure "
                        + "'enable_script_checks' or 'enable_local_script_checks' to true"
                )
            case .remote where !configuration.allowsRemoteScripts:
                throw RegistrationError(
                    .failed,
                    "Scripts are disabled on this agent from remote calls; to enable, "
                        + "configure 'enable_script_checks' to true"
                )
            default:
                continue
            }
        }
    }

    /// Stores a valid definition and starts it, in place of an earlier one of its id.
    mutating func put(
        _ definition: CheckRegistration,
        options: RegistrationOptions,
        keepsStatus: Bool,
        now: Instant,
        into effects: inout LocalEffects
    ) {
        let previous = checkTable[definition.id]
        var check = record(for: definition)
        if keepsStatus, let previous, !previous.isDeleted {
            check.status = previous.check.status
            check.output = previous.check.output
        }
        var entry = LocalCheck(
            check: check,
            definition: definition,
            token: options.token,
            source: options.source,
            outputLimit: outputLimit(of: definition),
            version: lastVersion
        )
        entry.removalDelay = removalDelay(of: definition, into: &effects)
        if check.status == .critical {
            entry.criticalSince = previous.flatMap { $0.isDeleted ? nil : $0.criticalSince } ?? now
        }
        if definition.kind == .ttl {
            entry.expiresAt = now.advanced(by: definition.ttl)
            entry.lastReport = keepsStatus ? previous?.lastReport ?? "" : ""
        }
        insert(entry, replacing: previous, into: &effects)
        if definition.kind == .alias {
            aliases.insert(definition.id)
        } else {
            aliases.remove(definition.id)
        }
        if options.persists { effects.persist.append(.saveCheck(id: definition.id)) }
        arm(definition.id)
        guard let kind = definition.kind, kind != .ttl else {
            if previous != nil { effects.stop.append(definition.id) }
            return
        }
        effects.start.append(
            CheckTask(
                id: definition.id,
                kind: kind,
                definition: definition,
                outputLimit: entry.outputLimit
            )
        )
    }

    /// Stores an entry, in sync when the catalog already has all that it says.
    mutating func insert(
        _ entry: LocalCheck,
        replacing previous: LocalCheck?,
        into effects: inout LocalEffects
    ) {
        var entry = entry
        let id = entry.check.id
        if let previous {
            // Heap entries of the earlier check serve the new one.
            entry.armedAt = previous.armedAt
            if previous.check.serviceID != entry.check.serviceID {
                unlist(id, of: previous.check.serviceID)
            }
        }
        if let previous, !previous.isDeleted,
            previous.check.isSame(as: entry.check, ignoringOutput: false),
            previous.outputDue == nil
        {
            entry.version = previous.version
            entry.inSync = previous.inSync
            entry.isInFlight = previous.isInFlight
        } else {
            entry.version = nextVersion()
        }
        checkTable[id] = entry
        checksOfService[entry.check.serviceID, default: []].insert(id)
        if !entry.inSync {
            unsyncedChecks.insert(id)
            effects.syncWanted = true
        }
    }

    /// Marks a check as gone and stops it.
    mutating func drop(check id: String, into effects: inout LocalEffects) {
        guard let entry = check(id) else { return }
        let version = nextVersion()
        checkTable[id]?.isDeleted = true
        checkTable[id]?.inSync = false
        checkTable[id]?.version = version
        checkTable[id]?.expiresAt = nil
        checkTable[id]?.outputDue = nil
        checkTable[id]?.criticalSince = nil
        unlist(id, of: entry.check.serviceID)
        aliases.remove(id)
        unsyncedChecks.insert(id)
        effects.stop.append(id)
        effects.persist.append(.removeCheck(id: id))
        if entry.kind == .ttl { effects.persist.append(.removeCheckState(id: id)) }
        effects.syncWanted = true
        effects.note(.debug, "removed check: check=\(id)")
    }

    private mutating func unlist(_ id: String, of service: String) {
        checksOfService[service]?.remove(id)
        if checksOfService[service]?.isEmpty == true { checksOfService[service] = nil }
    }

    private func record(for definition: CheckRegistration) -> HealthCheck {
        var check = HealthCheck()
        check.node = configuration.node.name
        check.id = definition.id
        check.name = definition.name
        check.status =
            definition.status.isEmpty ? .critical : CheckStatus(rawValue: definition.status)
        check.notes = definition.notes
        check.type = definition.kind?.rawValue ?? ""
        if let owner = service(definition.serviceID)?.service {
            check.serviceID = owner.id
            check.serviceName = owner.name
            check.serviceTags = owner.tags
        }
        return check
    }

    private func outputLimit(of definition: CheckRegistration) -> Int {
        let limit = configuration.limits.outputBytes
        return definition.outputMaxSize > 0 ? min(limit, definition.outputMaxSize) : limit
    }

    private func removalDelay(
        of definition: CheckRegistration,
        into effects: inout LocalEffects
    ) -> Nanoseconds {
        let delay = definition.deregisterCriticalServiceAfter
        guard delay > .zero, delay < configuration.leastDeregisterDelay else { return delay }
        effects.note(
            .warning,
            "check has deregister interval below minimum: check=\(definition.id)"
        )
        return configuration.leastDeregisterDelay
    }
}
