import Model

extension LocalState {
    /// What the servers keep of every node; no agent owns it.
    static let serverServiceID = "consul"
    static let gossipCheckID = "serfHealth"

    mutating func reconcile(node remote: Node?) {
        let local = configuration.node
        let isSame =
            remote?.id == local.id && remote?.address == local.address
            && (remote?.taggedAddresses ?? [:]) == (local.taggedAddresses ?? [:])
            && (remote?.meta ?? [:]) == (local.meta ?? [:])
        if nodeInSync, !isSame { driftCount += 1 }
        nodeInSync = isSame
    }

    mutating func reconcile(service remote: CatalogService) {
        let id = remote.id
        guard let entry = serviceTable[id] else {
            guard id != Self.serverServiceID else { return }
            driftCount += 1
            // Unknown here: plan its removal.
            var stray = LocalService(
                service: remote,
                token: "",
                source: .remote,
                version: nextVersion()
            )
            stray.isDeleted = true
            serviceTable[id] = stray
            unsyncedServices.insert(id)
            return
        }
        guard !entry.isDeleted else { return }
        if entry.service.enableTagOverride, entry.service.tags != remote.tags {
            // Others may change the tags in the catalog; theirs win.
            serviceTable[id]?.service.tags = remote.tags
        }
        guard let current = serviceTable[id]?.service, !current.isSame(as: remote) else {
            if !entry.isInFlight { complete(serviceFound: id) }
            return
        }
        markDrifted(service: id)
    }

    mutating func reconcile(check remote: HealthCheck) {
        let id = remote.id
        guard let entry = checkTable[id] else {
            guard id != Self.gossipCheckID else { return }
            driftCount += 1
            var stray = LocalCheck(
                check: remote,
                definition: nil,
                token: "",
                source: .remote,
                outputLimit: 0,
                version: nextVersion()
            )
            stray.isDeleted = true
            checkTable[id] = stray
            unsyncedChecks.insert(id)
            return
        }
        guard !entry.isDeleted, !entry.isInFlight else { return }
        guard entry.check.isSame(as: remote, ignoringOutput: entry.outputDue != nil) else {
            return markDrifted(check: id)
        }
        checkTable[id]?.inSync = true
        unsyncedChecks.remove(id)
    }

    mutating func markDrifted(service id: String) {
        if serviceTable[id]?.inSync == true { driftCount += 1 }
        serviceTable[id]?.inSync = false
        unsyncedServices.insert(id)
    }

    mutating func markDrifted(check id: String) {
        if checkTable[id]?.inSync == true { driftCount += 1 }
        checkTable[id]?.inSync = false
        unsyncedChecks.insert(id)
    }

    private mutating func complete(serviceFound id: String) {
        serviceTable[id]?.inSync = true
        unsyncedServices.remove(id)
    }
}
