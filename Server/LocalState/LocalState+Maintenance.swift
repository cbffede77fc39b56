package import Model

extension LocalState {
    /// Puts a service into maintenance mode or takes it out.
    ///
    /// - Source: Consul: PUT /v1/agent/service/maintenance/:id.
    package mutating func setMaintenance(
        _ enabled: Bool,
        service id: String,
        reason: String,
        token: String,
        now: Instant,
        into effects: inout LocalEffects
    ) throws(RegistrationError) {
        guard let owner = service(id)?.service else {
            throw RegistrationError(.notFound, "No service registered with ID \"\(id)\"")
        }
        let checkID = MaintenanceCheck.servicePrefix + id
        guard enabled else {
            return endMaintenance(checkID, now: now, into: &effects)
        }
        var check = maintenanceRecord(
            id: checkID,
            name: "Service Maintenance Mode",
            reason: reason,
            subject: "service"
        )
        check.serviceID = owner.id
        check.serviceName = owner.name
        check.serviceTags = owner.tags
        beginMaintenance(check, token: token, now: now, into: &effects)
    }

    /// Puts the whole node into maintenance mode or takes it out.
    ///
    /// - Source: Consul: PUT /v1/agent/maintenance.
    package mutating func setNodeMaintenance(
        _ enabled: Bool,
        reason: String,
        token: String,
        now: Instant,
        into effects: inout LocalEffects
    ) {
        guard enabled else {
            return endMaintenance(MaintenanceCheck.node, now: now, into: &effects)
        }
        let check = maintenanceRecord(
            id: MaintenanceCheck.node,
            name: "Node Maintenance Mode",
            reason: reason,
            subject: "node"
        )
        beginMaintenance(check, token: token, now: now, into: &effects)
    }

    /// Puts back a maintenance check that was kept on disk.
    package mutating func restoreMaintenance(
        _ check: HealthCheck,
        token: String,
        now: Instant,
        into effects: inout LocalEffects
    ) {
        guard check.serviceID.isEmpty || service(check.serviceID) != nil else { return }
        beginMaintenance(check, token: token, now: now, into: &effects)
    }

    private func maintenanceRecord(
        id: String,
        name: String,
        reason: String,
        subject: String
    ) -> HealthCheck {
        var check = HealthCheck()
        check.node = configuration.node.name
        check.id = id
        check.name = name
        check.status = .critical
        check.notes =
            reason.isEmpty
            ? "Maintenance mode is enabled for this \(subject), but no reason was provided. "
                + "This is a default message." : reason
        check.type = "maintenance"
        return check
    }

    /// Does nothing when it has begun already, whatever the reason was.
    private mutating func beginMaintenance(
        _ check: HealthCheck,
        token: String,
        now: Instant,
        into effects: inout LocalEffects
    ) {
        guard self.check(check.id) == nil else { return }
        var entry = LocalCheck(
            check: check,
            definition: nil,
            token: token,
            source: .remote,
            outputLimit: configuration.limits.outputBytes,
            version: lastVersion
        )
        entry.criticalSince = now
        insert(entry, replacing: checkTable[check.id], into: &effects)
        effects.persist.append(.saveCheck(id: check.id))
        effects.note(.info, "\(check.name) entered: check=\(check.id)")
        refreshAliases(now: now, into: &effects)
    }

    private mutating func endMaintenance(
        _ id: String,
        now: Instant,
        into effects: inout LocalEffects
    ) {
        guard check(id) != nil else { return }
        drop(check: id, into: &effects)
        effects.note(.info, "Maintenance mode left: check=\(id)")
        refreshAliases(now: now, into: &effects)
    }
}
