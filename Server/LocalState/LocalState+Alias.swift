package import Model

extension LocalState {
    /// Recomputes the alias checks that follow checks of this agent.
    ///
    /// - Source: Consul: docs/discovery/checks "Alias".
    /// - Deviation: a check never aliases itself; Consul's node-level alias stays critical for ever
    ///   once it was, because it finds its own record among the node's checks.
    mutating func refreshAliases(now: Instant, into effects: inout LocalEffects) {
        guard !aliases.isEmpty else { return }
        // An alias may follow a service whose check is an alias: settle within as many rounds.
        for _ in 0..<min(aliases.count, 8) {
            var changed = false
            for id in aliases.sorted(by: precedes) {
                changed = refreshAlias(id, now: now, into: &effects) || changed
            }
            guard changed else { return }
        }
    }

    /// Takes what a watch of another node's checks found; `isRegistered` tells of the service.
    package mutating func reportAlias(
        check id: String,
        of checks: [HealthCheck],
        isRegistered: Bool,
        now: Instant,
        into effects: inout LocalEffects
    ) {
        guard let definition = check(id)?.definition, definition.kind == .alias else { return }
        let verdict = Self.aliasVerdict(
            of: checks,
            service: definition.aliasService,
            node: definition.aliasNode,
            isRegistered: isRegistered
        )
        update(id, status: verdict.status, output: verdict.output, now: now, into: &effects)
        arm(id)
        refreshAliases(now: now, into: &effects)
    }

    private mutating func refreshAlias(
        _ id: String,
        now: Instant,
        into effects: inout LocalEffects
    ) -> Bool {
        guard let entry = check(id), let definition = entry.definition,
            definition.aliasNode.isEmpty
        else { return false }
        let target = definition.aliasService
        let followed = (checks(ofService: "") + (target.isEmpty ? [] : checks(ofService: target)))
            .filter { $0.check.id != id }
            .map(\.check)
        let verdict = Self.aliasVerdict(
            of: followed,
            service: target,
            node: "",
            isRegistered: target.isEmpty || service(target) != nil
        )
        let before = (entry.check.status, entry.check.output)
        update(id, status: verdict.status, output: verdict.output, now: now, into: &effects)
        arm(id)
        return before != (verdict.status, verdict.output)
    }

    static func aliasVerdict(
        of checks: [HealthCheck],
        service: String,
        node: String,
        isRegistered: Bool
    ) -> (status: CheckStatus, output: String) {
        var status = CheckStatus.passing
        var output = "No checks found."
        for check in checks where check.serviceID.isEmpty || check.serviceID == service {
            if check.status == .critical || check.status == .warning {
                status = check.status
                output = "Aliased check \"\(check.name)\" failing: \(check.output)"
                if status == .critical { break }
            } else if status == .passing {
                output = "All checks passing."
            }
        }
        guard isRegistered else {
            return (.critical, "Service \(service) could not be found on node \(node)")
        }
        return (status, output)
    }
}
