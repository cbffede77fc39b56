import Model

/// A sidecar proxy and its checks, as the `connect.sidecarService` of a registration expands.
///
/// - Source: Consul: docs/connect/registration/sidecar-service.
struct SidecarExpansion: Sendable {
    static let idSuffix = "-sidecar-proxy"

    var service: CatalogService
    var checks: [CheckRegistration]
    var token: String
}

extension LocalState {
    /// Expands the sidecar of `parent`, filling in what it does not say.
    func expandSidecar(
        _ nested: ServiceRegistration,
        of parent: CatalogService,
        token: String
    ) throws(RegistrationError) -> SidecarExpansion {
        var sidecar = CatalogService(nested)
        sidecar.id = parent.id + SidecarExpansion.idSuffix
        sidecar.locallyRegisteredAsSidecar = true
        if sidecar.name.isEmpty { sidecar.name = parent.name + SidecarExpansion.idSuffix }
        if sidecar.kind == .typical { sidecar.kind = .connectProxy }
        if sidecar.proxy.destinationServiceName.isEmpty {
            sidecar.proxy.destinationServiceName = parent.name
        }
        if sidecar.proxy.destinationServiceID.isEmpty {
            sidecar.proxy.destinationServiceID = parent.id
        }
        if sidecar.proxy.localServiceAddress.isEmpty {
            sidecar.proxy.localServiceAddress = "127.0.0.1"
        }
        if sidecar.proxy.localServicePort < 1 { sidecar.proxy.localServicePort = parent.port }
        sidecar.meta = sidecar.meta ?? parent.meta
        sidecar.tags = sidecar.tags ?? parent.tags
        if sidecar.port < 1 { sidecar.port = try sidecarPort(for: sidecar.id) }
        sidecar.addDefaultTaggedAddresses()
        let rules = RegistrationRules(limits: configuration.limits)
        try rules.validate(sidecar)
        var checks = nested.definedChecks
        if checks.isEmpty { checks = Self.defaultChecks(of: sidecar, parent: parent) }
        return SidecarExpansion(
            service: sidecar,
            checks: checks,
            token: nested.token.isEmpty ? token : nested.token
        )
    }

    /// The port the sidecar had, or the lowest that no service of this agent uses.
    private func sidecarPort(for id: String) throws(RegistrationError) -> Int {
        let range = configuration.sidecarPorts
        guard !range.isDisabled else {
            throw RegistrationError(
                .invalid,
                "Invalid SidecarService: no port provided for sidecar_service and "
                    + "auto-assignment disabled in config"
            )
        }
        var used: Set<Int> = []
        for entry in serviceTable.values where !entry.isDeleted {
            guard range.contains(entry.service.port) else { continue }
            if entry.service.id == id { return entry.service.port }
            used.insert(entry.service.port)
        }
        var port = range.lowest
        while port <= range.highest {
            if !used.contains(port) { return port }
            port += 1
        }
        throw RegistrationError(
            .invalid,
            "Invalid SidecarService: no port provided for sidecar_service and none left in "
                + "the configured range [\(range.lowest), \(range.highest)]"
        )
    }

    private static func defaultChecks(
        of sidecar: CatalogService,
        parent: CatalogService
    ) -> [CheckRegistration] {
        var listening = CheckRegistration()
        listening.name = "Connect Sidecar Listening"
        let host = sidecar.proxy.localServiceAddress
        listening.tcp = host.contains(":") ? "[\(host)]:\(sidecar.port)" : "\(host):\(sidecar.port)"
        listening.interval = .seconds(10)
        var aliasing = CheckRegistration()
        aliasing.name = "Connect Sidecar Aliasing \(parent.id)"
        aliasing.aliasService = parent.id
        return [listening, aliasing]
    }
}
