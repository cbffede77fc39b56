import HTTPAPI
import LocalState
import Logging
import Model

extension LocalAgent {
    /// Registers what the configuration defines, and forgets what it no longer does.
    ///
    /// A definition that is refused is logged; the others still load.
    func load(_ configuration: AgentConfiguration, keepingStatus: Bool) {
        dropUndefined(configuration)
        for definition in configuration.services {
            attempt("service", definition.name) { state, now, effects throws(RegistrationError) in
                let options = RegistrationOptions(
                    source: .local,
                    token: definition.token,
                    replacesChecks: true,
                    persists: false
                )
                try state.register(definition, options: options, now: now, into: &effects)
            }
        }
        for definition in configuration.checks {
            attempt("check", definition.name) { state, now, effects throws(RegistrationError) in
                let options = RegistrationOptions(
                    source: .local,
                    token: definition.token,
                    persists: false
                )
                try state.register(
                    check: definition,
                    options: options,
                    keepsStatus: keepingStatus,
                    now: now,
                    into: &effects
                )
            }
        }
    }

    /// Removes what came from configuration files and is not defined any more.
    private func dropUndefined(_ configuration: AgentConfiguration) {
        var services: Set<String> = []
        for definition in configuration.services {
            let id = definition.id.isEmpty ? definition.name : definition.id
            services.insert(id)
            services.insert(id + "-sidecar-proxy")
        }
        for entry in state.services where entry.source == .local {
            let id = entry.service.id
            guard !services.contains(id) else { continue }
            attempt("service", id) { state, now, effects throws(RegistrationError) in
                try state.deregisterService(id, now: now, into: &effects)
            }
        }
        let checks = Set(configuration.checks.map { $0.id.isEmpty ? $0.name : $0.id })
        for entry in state.checks where entry.source == .local && entry.check.serviceID.isEmpty {
            let id = entry.check.id
            guard !checks.contains(id), entry.definition != nil else { continue }
            attempt("check", id) { state, now, effects throws(RegistrationError) in
                try state.deregisterCheck(id, now: now, into: &effects)
            }
        }
    }

    /// Puts back what was registered over HTTP before the agent stopped.
    ///
    /// What the configuration defines too is the configuration's: the kept copy is dropped.
    func restore() {
        guard let storage else { return }
        let complain = { (text: String) in self.logger.error("\(text)") }
        for record in storage.loadServices(complain) {
            let id = record.service.id
            guard state.service(id) == nil else {
                discard(.removeService(id: id), storage)
                continue
            }
            var service = record.service
            service.locallyRegisteredAsSidecar = record.isSidecar
            attempt("service", id) { [service] state, now, effects throws(RegistrationError) in
                let options = RegistrationOptions(
                    source: .remote,
                    token: record.token,
                    persists: false
                )
                try state.restore(service, options: options, now: now, into: &effects)
            }
        }
        for record in storage.loadChecks(complain) { restore(record, storage, complain) }
    }

    private func restore(
        _ record: PersistedCheck,
        _ storage: RegistrationStorage,
        _ complain: (String) -> Void
    ) {
        let id = record.check.id
        guard state.check(id) == nil else { return discard(.removeCheck(id: id), storage) }
        guard record.check.serviceID.isEmpty || state.service(record.check.serviceID) != nil else {
            logger.warning("kept check has no service any more: check=\(id)")
            return discard(.removeCheck(id: id), storage)
        }
        guard record.check.type != "maintenance" else {
            return change { state, now, effects in
                state.restoreMaintenance(
                    record.check,
                    token: record.token,
                    now: now,
                    into: &effects
                )
            }
        }
        var definition = record.definition
        definition.id = id
        definition.name = record.check.name
        definition.notes = record.check.notes
        definition.serviceID = record.check.serviceID
        // Until it ran again nobody knows; a TTL check may find its last report below.
        definition.status = ""
        attempt("check", id) { [definition] state, now, effects throws(RegistrationError) in
            let options = RegistrationOptions(
                source: .remote,
                token: record.token,
                persists: false
            )
            try state.register(check: definition, options: options, now: now, into: &effects)
        }
        guard let kept = storage.loadState(of: id, complain) else { return }
        change { state, now, effects in
            state.restore(
                check: id,
                status: kept.status,
                output: kept.output,
                now: now,
                into: &effects
            )
        }
    }

    private func attempt(_ what: String, _ name: String, _ body: LocalChange) {
        do throws(RegistrationError) {
            try change(body)
        } catch {
            logger.error("Failed to register \(what) \"\(name)\": \(error.message)")
        }
    }

    private func discard(_ item: Persistence, _ storage: RegistrationStorage) {
        do throws(StorageError) {
            try storage.apply(item, from: state)
        } catch {
            logger.error("failed to remove what was kept: \(error.description)")
        }
    }
}
