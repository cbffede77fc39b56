public import MusterAPI

extension InMemoryRegistry {
    /// What an in-memory registry knows at a moment.
    public struct Contents: Sendable {
        /// The instances, by id.
        public let services: [String: AgentService]
        /// The checks, by id.
        public let checks: [String: HealthCheck]
        /// The keys with their values, by key.
        public let keys: [String: KeyValuePair]
        /// The sessions, by id.
        public let sessions: [String: SessionEntry]
        private let statuses: [String: CheckStatus]

        init(_ state: InMemoryState) {
            services = state.services
            checks = state.checks.mapValues(\.value)
            keys = state.keys
            sessions = state.sessions.mapValues(\.value)
            statuses = state.services.mapValues { service in
                state.entry(of: service.id)?.aggregatedStatus ?? .critical
            }
        }

        /// How an instance is, all its checks together; nil when there is none of that id.
        public func status(of serviceID: String) -> CheckStatus? { statuses[serviceID] }
    }

    /// Registers an instance that no application keeps alive; without a check it passes.
    ///
    /// - Parameter registration: The instance.
    /// - Throws: `MusterError` when it has no name.
    public func register(_ registration: ServiceRegistration) throws {
        do {
            try change { state, now in
                try state.register(registration, replacingChecks: true, now: now)
            }
        } catch let refusal as InMemoryRefusal {
            throw MusterError(
                code: .badRequest,
                message: refusal.message,
                status: refusal.status,
                request: "register"
            )
        }
    }

    /// Removes an instance, as an operator would; an unknown id changes nothing.
    public func deregister(serviceID: String) {
        change { state, _ in state.deregister(serviceID: serviceID) }
    }

    /// Sets the state of all checks of an instance, as if they had run.
    public func set(_ status: CheckStatus, of serviceID: String) {
        change { state, now in
            for (id, check) in state.checks where check.value.serviceID == serviceID {
                state.set(status, of: id, output: "set by the test", now: now)
            }
        }
    }

    /// Takes an instance out of service or puts it back, as an operator would.
    public func setMaintenance(_ enabled: Bool, of serviceID: String) {
        change { state, now in
            state.setMaintenance(enabled, of: serviceID, reason: "set by the test", now: now)
        }
    }

    /// Writes a key; nil deletes it.
    public func set(_ value: String?, forKey key: String) {
        change { state, _ in
            guard let value else { return state.remove(key) }
            var pair = state.keys[key] ?? KeyValuePair(key: key)
            pair.value = Array(value.utf8)
            state.store(pair)
        }
    }

    /// Ends a session, as when its node has died: its locks are lost.
    public func invalidate(sessionID: String) {
        change { state, now in state.invalidate(sessionID: sessionID, now: now) }
    }
}
