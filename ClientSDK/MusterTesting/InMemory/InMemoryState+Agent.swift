import MusterAPI

extension InMemoryState {
    // MARK: Requests

    func readAgent(_ request: InMemoryRequest) throws -> ScriptedReply? {
        switch request.path {
        case "agent/self":
            let identity = AgentSelf(
                config: AgentIdentity(datacenter: Self.datacenter, nodeName: Self.node)
            )
            return ScriptedReply(bytes: JSONText.encode(identity))
        case "agent/services": return ScriptedReply(bytes: JSONText.encode(services))
        case "agent/checks":
            return ScriptedReply(bytes: JSONText.encode(checks.mapValues(\.value)))
        default: break
        }
        if let id = request.rest(after: "agent/health/service/id/") { return health(id) }
        if let id = request.rest(after: "agent/service/") {
            guard let service = services[id] else {
                throw InMemoryRefusal(404, "unknown service ID: \(id)")
            }
            return ScriptedReply(bytes: JSONText.encode(service))
        }
        return nil
    }

    private func health(_ id: String) -> ScriptedReply {
        guard let entry = entry(of: id) else {
            return ScriptedReply(404, "ServiceId \(id) not found")
        }
        let status = entry.aggregatedStatus
        let code =
            switch status {
            case .passing: 200
            case .warning: 429
            default: 503
            }
        let value = AgentServiceHealth(
            aggregatedStatus: status,
            service: entry.service,
            checks: entry.checks.filter { !$0.serviceID.isEmpty }
        )
        return ScriptedReply(code, bytes: JSONText.encode(value))
    }

    mutating func writeAgent(
        _ request: InMemoryRequest,
        now: ContinuousClock.Instant
    ) throws -> ScriptedReply? {
        if request.path == "agent/service/register" {
            let registration = try request.decoded(ServiceRegistration.self)
            let replaces = request.has("replace-existing-checks")
            try register(registration, replacingChecks: replaces, now: now)
            return ScriptedReply()
        }
        if let id = request.rest(after: "agent/service/deregister/") {
            deregister(serviceID: id)
            return ScriptedReply()
        }
        if let id = request.rest(after: "agent/service/maintenance/") {
            guard let enable = request["enable"], enable == "true" || enable == "false" else {
                throw InMemoryRefusal(400, "Missing value for enable")
            }
            guard services[id] != nil else {
                throw InMemoryRefusal(404, "No service registered with ID \"\(id)\"")
            }
            setMaintenance(enable == "true", of: id, reason: request["reason"] ?? "", now: now)
            return ScriptedReply()
        }
        return try writeCheck(request, now: now)
    }

    private mutating func writeCheck(
        _ request: InMemoryRequest,
        now: ContinuousClock.Instant
    ) throws -> ScriptedReply? {
        if request.path == "agent/check/register" {
            try register(request.decoded(CheckDefinition.self), of: nil, now: now)
            return ScriptedReply()
        }
        if let id = request.rest(after: "agent/check/deregister/") {
            removeCheck(id)
            return ScriptedReply()
        }
        for (action, status) in [
            ("pass", CheckStatus.passing), ("warn", .warning), ("fail", .critical),
        ] {
            if let id = request.rest(after: "agent/check/\(action)/") {
                try report(status, of: id, output: request["note"] ?? "", now: now)
                return ScriptedReply()
            }
        }
        if let id = request.rest(after: "agent/check/update/") {
            struct Update: Decodable {
                var Status: String?
                var Output: String?
            }
            let update = try request.decoded(Update.self)
            let status = CheckStatus(rawValue: update.Status ?? "")
            guard [.passing, .warning, .critical].contains(status) else {
                throw InMemoryRefusal(400, "Invalid check status: '\(status)'")
            }
            try report(status, of: id, output: update.Output ?? "", now: now)
            return ScriptedReply()
        }
        return nil
    }

    // MARK: What they do

    /// Adds or replaces an instance.
    mutating func register(
        _ registration: ServiceRegistration,
        replacingChecks: Bool,
        now: ContinuousClock.Instant
    ) throws {
        guard !registration.name.isEmpty else { throw InMemoryRefusal(400, "Missing service name") }
        let id = registration.effectiveID
        var service = AgentService(
            kind: registration.kind,
            id: id,
            name: registration.name,
            tags: registration.tags,
            meta: registration.meta,
            port: registration.port,
            address: registration.address,
            taggedAddresses: registration.taggedAddresses,
            weights: registration.weights ?? ServiceWeights(),
            enableTagOverride: registration.enableTagOverride,
            proxy: registration.proxy,
            connect: registration.connect
        )
        if let known = services[id], known.name != service.name {
            change(.service(known.name))
        }
        let definitions = (registration.check.map { [$0] } ?? []) + registration.checks
        if replacingChecks {
            for check in checks.values where check.value.serviceID == id {
                checks[check.value.checkID] = nil
            }
        }
        service.createIndex = services[id]?.createIndex ?? index + 1
        service.modifyIndex = change(.service(service.name), .services, .checks)
        services[id] = service
        for (number, definition) in definitions.enumerated() {
            var definition = definition
            if definition.id.isEmpty {
                definition.id = "service:\(id)" + (definitions.count > 1 ? ":\(number + 1)" : "")
            }
            try register(definition, of: id, now: now)
        }
    }

    /// Adds or replaces a check; a report that it already had is kept.
    private mutating func register(
        _ definition: CheckDefinition,
        of serviceID: String?,
        now: ContinuousClock.Instant
    ) throws {
        let owner = serviceID ?? definition.serviceID
        let id = definition.id.isEmpty ? definition.name : definition.id
        guard !id.isEmpty else { throw InMemoryRefusal(400, "Missing check name or ID") }
        let service = services[owner]
        guard owner.isEmpty || service != nil else {
            throw InMemoryRefusal(500, "ServiceID \"\(owner)\" does not exist")
        }
        let status = checks[id]?.value.status ?? definition.status ?? .critical
        let value = HealthCheck(
            node: Self.node,
            checkID: id,
            name: definition.name.isEmpty
                ? "Service '\(service?.name ?? owner)' check" : definition.name,
            status: status,
            notes: definition.notes,
            serviceID: owner,
            serviceName: service?.name ?? "",
            serviceTags: service?.tags ?? [],
            type: definition.ttl == nil ? "" : "ttl"
        )
        checks[id] = Check(
            value: value,
            timeToLive: definition.ttl,
            expires: status == .critical ? nil : definition.ttl.map { now + $0 },
            deregisterAfter: definition.deregisterCriticalServiceAfter,
            criticalSince: status == .critical ? now : nil
        )
        touch(id)
    }

    /// Removes an instance and its checks.
    mutating func deregister(serviceID: String) {
        guard let service = services.removeValue(forKey: serviceID) else { return }
        checks = checks.filter { $0.value.value.serviceID != serviceID }
        change(.service(service.name), .services, .checks)
    }

    private mutating func removeCheck(_ id: String) {
        guard checks[id] != nil else { return }
        touch(id)
        checks[id] = nil
    }

    /// Takes an instance out of service or puts it back.
    mutating func setMaintenance(
        _ enabled: Bool,
        of serviceID: String,
        reason: String,
        now: ContinuousClock.Instant
    ) {
        let id = "_service_maintenance:\(serviceID)"
        guard enabled else { return removeCheck(id) }
        let value = HealthCheck(
            node: Self.node,
            checkID: id,
            name: "Service Maintenance Mode",
            status: .critical,
            notes: reason.isEmpty ? "Maintenance mode is enabled" : reason,
            serviceID: serviceID,
            serviceName: services[serviceID]?.name ?? ""
        )
        checks[id] = Check(value: value)
        touch(id)
    }

    /// Takes a report of the application.
    private mutating func report(
        _ status: CheckStatus,
        of id: String,
        output: String,
        now: ContinuousClock.Instant
    ) throws {
        guard let timeToLive = checks[id]?.timeToLive else {
            throw InMemoryRefusal(500, "CheckID \"\(id)\" does not have associated TTL")
        }
        checks[id]?.expires = now + timeToLive
        set(status, of: id, output: output, now: now)
    }

    /// Sets a check's state; whoever blocks on it wakes only if it is another.
    mutating func set(
        _ status: CheckStatus,
        of id: String,
        output: String,
        now: ContinuousClock.Instant
    ) {
        guard var check = checks[id] else { return }
        guard check.value.status != status || check.value.output != output else { return }
        check.criticalSince = status == .critical ? check.criticalSince ?? now : nil
        check.value.status = status
        check.value.output = output
        checks[id] = check
        touch(id)
    }

    /// Counts a change of a check.
    private mutating func touch(_ id: String) {
        guard let check = checks[id] else { return }
        if check.value.serviceName.isEmpty {
            // A check of the node is a check of every instance on it.
            for name in Set(services.values.map(\.name)).sorted() { change(.service(name)) }
        }
        let index = change(.checks, .service(check.value.serviceName))
        checks[id]?.value.modifyIndex = index
    }
}
