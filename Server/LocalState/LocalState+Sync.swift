package import Model

/// One write that brings the catalog closer to this agent's state.
package struct SyncStep: Sendable {
    /// What the step covers, with the versions it carries.
    package enum Item: Hashable, Sendable {
        case node
        case service(id: String, version: UInt64)
        case check(id: String, version: UInt64)
    }

    package var command: Command
    package var items: [Item]
    /// The token of the write; empty for the agent's own.
    package var token: String
}

/// What the catalog knows of this agent's node.
package struct CatalogView: Sendable {
    package var node: Node?
    package var services: [CatalogService]
    package var checks: [HealthCheck]

    package init(node: Node?, services: [CatalogService], checks: [HealthCheck]) {
        self.node = node
        self.services = services
        self.checks = checks
    }
}

extension LocalState {
    /// Compares with the catalog and marks every difference for `nextSync`.
    ///
    /// What the catalog has beyond this state is removed from it, except what the servers keep of
    /// every node: the `consul` service and the `serfHealth` check.
    /// - Source: Consul: docs/internals/anti-entropy.
    package mutating func reconcile(with catalog: CatalogView) {
        reconcile(node: catalog.node)
        var known: Set<String> = []
        for remote in catalog.services {
            known.insert(remote.id)
            reconcile(service: remote)
        }
        for (id, entry) in serviceTable where !known.contains(id) {
            if entry.isDeleted {
                serviceTable[id] = nil
                unsyncedServices.remove(id)
            } else {
                markDrifted(service: id)
            }
        }
        var knownChecks: Set<String> = []
        for remote in catalog.checks {
            knownChecks.insert(remote.id)
            reconcile(check: remote)
        }
        for (id, entry) in checkTable where !knownChecks.contains(id) {
            if entry.isDeleted {
                checkTable[id] = nil
                unsyncedChecks.remove(id)
            } else {
                markDrifted(check: id)
            }
        }
    }

    /// The writes to propose now, in order; each stays out of later plans until `completed`.
    package mutating func nextSync() -> [SyncStep] {
        var steps: [SyncStep] = []
        let room = configuration.limits.syncStepsInFlight
        for id in unsyncedServices.sorted(by: precedes) where steps.count < room {
            guard let entry = serviceTable[id], !entry.isInFlight else { continue }
            serviceTable[id]?.isInFlight = true
            let item = SyncStep.Item.service(id: id, version: entry.version)
            if entry.isDeleted {
                steps.append(deregistration(service: id, item: item, token: entry.token))
            } else {
                steps.append(registration(of: entry, item: item))
            }
        }
        for id in unsyncedChecks.sorted(by: precedes) where steps.count < room {
            guard let entry = checkTable[id], !entry.isInFlight else { continue }
            checkTable[id]?.isInFlight = true
            let item = SyncStep.Item.check(id: id, version: entry.version)
            if entry.isDeleted {
                steps.append(deregistration(check: id, item: item, token: entry.token))
            } else {
                steps.append(registration(of: [entry], items: [item]))
            }
        }
        if steps.isEmpty, !nodeInSync, !nodeInFlight {
            nodeInFlight = true
            steps.append(registration(of: [], items: [.node]))
        }
        return steps
    }

    /// Learns how a step ended; a refused or failed one is planned again by a later `nextSync`.
    package mutating func completed(_ step: SyncStep, succeeded: Bool) {
        for item in step.items {
            switch item {
            case .node:
                nodeInFlight = false
                if succeeded { nodeInSync = true }
            case .service(let id, let version):
                complete(service: id, version: version, succeeded: succeeded)
            case .check(let id, let version):
                complete(check: id, version: version, succeeded: succeeded)
            }
        }
    }

    /// Whether anything waits to be proposed.
    package var needsSync: Bool {
        !nodeInSync && !nodeInFlight
            || unsyncedServices.contains { serviceTable[$0]?.isInFlight == false }
            || unsyncedChecks.contains { checkTable[$0]?.isInFlight == false }
    }

    /// Replaces the agent's own node record; the next plan carries it.
    package mutating func setNode(_ node: Node) {
        configuration.node = node
        nodeInSync = false
    }
}

extension LocalState {
    private mutating func registration(of entry: LocalService, item: SyncStep.Item) -> SyncStep {
        // The service's own checks travel with it, so that it never shows healthy without them.
        var items = [item]
        var checks: [LocalCheck] = []
        for check in self.checks(ofService: entry.service.id)
        where !check.inSync && !check.isInFlight && check.token == entry.token {
            checkTable[check.check.id]?.isInFlight = true
            checks.append(check)
            items.append(.check(id: check.check.id, version: check.version))
        }
        var step = registration(of: checks, items: items)
        guard case .register(var command) = step.command else { return step }
        var service = entry.service
        service.locallyRegisteredAsSidecar = false
        command.service = service
        step.command = .register(command)
        step.token = entry.token
        return step
    }

    private mutating func registration(
        of checks: [LocalCheck],
        items: [SyncStep.Item]
    ) -> SyncStep {
        var command = RegisterCommand()
        command.datacenter = configuration.node.datacenter
        command.node = configuration.node
        command.checks = checks.map(\.check)
        command.skipNodeUpdate = nodeInSync
        for check in checks {
            // What is sent now need not be sent again later.
            checkTable[check.check.id]?.outputDue = nil
        }
        var items = items
        if !nodeInSync, !items.contains(.node) {
            nodeInFlight = true
            items.append(.node)
        }
        return SyncStep(
            command: .register(command),
            items: items,
            token: checks.first?.token ?? ""
        )
    }

    private mutating func deregistration(
        service id: String,
        item: SyncStep.Item,
        token: String
    ) -> SyncStep {
        var command = DeregisterCommand()
        command.datacenter = configuration.node.datacenter
        command.node = configuration.node.name
        command.serviceID = id
        // The catalog removes the service's checks with it.
        var items = [item]
        for check in unsyncedChecks.sorted(by: precedes) {
            guard let entry = checkTable[check], entry.isDeleted, !entry.isInFlight,
                entry.check.serviceID == id
            else { continue }
            checkTable[check]?.isInFlight = true
            items.append(.check(id: check, version: entry.version))
        }
        return SyncStep(command: .deregister(command), items: items, token: token)
    }

    private func deregistration(
        check id: String,
        item: SyncStep.Item,
        token: String
    ) -> SyncStep {
        var command = DeregisterCommand()
        command.datacenter = configuration.node.datacenter
        command.node = configuration.node.name
        command.checkID = id
        return SyncStep(command: .deregister(command), items: [item], token: token)
    }

    private mutating func complete(service id: String, version: UInt64, succeeded: Bool) {
        guard let entry = serviceTable[id] else { return }
        serviceTable[id]?.isInFlight = false
        guard succeeded, entry.version == version else { return }
        unsyncedServices.remove(id)
        if entry.isDeleted {
            serviceTable[id] = nil
        } else {
            serviceTable[id]?.inSync = true
        }
    }

    private mutating func complete(check id: String, version: UInt64, succeeded: Bool) {
        guard let entry = checkTable[id] else { return }
        checkTable[id]?.isInFlight = false
        guard succeeded, entry.version == version else { return }
        unsyncedChecks.remove(id)
        if entry.isDeleted {
            checkTable[id] = nil
        } else {
            checkTable[id]?.inSync = true
        }
    }
}
