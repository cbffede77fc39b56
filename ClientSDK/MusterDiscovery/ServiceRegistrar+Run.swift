import Logging
import MusterAPI
import MusterBalancing
import ServiceLifecycle
import Synchronization

extension ServiceRegistrar {
    /// Registers and keeps the instance alive until the group shuts down or the task is cancelled.
    ///
    /// Then no heartbeat is sent any more, the instance is deregistered, and on graceful shutdown
    /// callers get ``Configuration/drainDelay`` to notice.
    public func run() async throws {
        let failure: (any Error)?
        do {
            try await cancelWhenGracefulShutdown {
                try await self.becomeReady()
                try await self.keepAlive()
            }
            failure = nil
        } catch {
            failure = error
        }
        let (mayBeRegistered, wasRegistered) = state.withLock {
            ($0.mayBeRegistered, $0.wasRegistered)
        }
        if mayBeRegistered {
            await deregister()
            if wasRegistered, !Task.isCancelled {
                // The sleep only throws when cancelled: then there is no time left for draining.
                try? await configuration.clock.sleep(
                    configuration.clock.now() + configuration.drainDelay
                )
            }
        }
        if let failure, !(failure is CancellationError) { throw failure }
    }

    private func becomeReady() async throws {
        guard let readiness else { return }
        var registration = registration
        try await readiness(&registration)
        update { $0 = registration }
    }

    /// Does what the core says; returns when cancelled.
    private func keepAlive() async throws {
        while !Task.isCancelled {
            let now = configuration.clock.now()
            switch state.withLock({ $0.core.next(now: now) }) {
            case .wait(let moment):
                await changed.wait(until: moment, clock: configuration.clock)
            case .register: try await register()
            case .maintain: await maintain()
            case .beat: await beat()
            }
        }
    }

    private func register() async throws {
        let registration = state.withLock { state in
            state.mayBeRegistered = true
            return state.registration
        }
        do {
            // Replacing the checks would also remove the one that says "in maintenance", which an
            // operator may have set; then the old checks stay instead.
            let known = try await client.agent.health(serviceID: serviceID)
            let isMaintained = known?.aggregatedStatus == .maintenance
            try await client.agent.register(registration, replaceExistingChecks: !isMaintained)
            let now = configuration.clock.now()
            state.withLock { state in
                state.wasRegistered = true
                state.core.registered(now: now, maintenance: state.maintenance)
                // Something was changed while the request was on its way.
                if state.registration != registration { state.core.changed() }
            }
            logger.info("Registered", metadata: ["service": "\(serviceID)"])
        } catch let error as MusterError where error.code == .badRequest {
            // The registration itself is wrong: no later attempt can succeed.
            throw error
        } catch {
            try failed("The instance cannot be registered", error) { $0.failed(now: $1) }
        }
    }

    private func maintain() async {
        let (enabled, reason) = state.withLock { ($0.maintenance, $0.reason) }
        do {
            try await client.agent.setMaintenance(enabled, serviceID: serviceID, reason: reason)
            state.withLock { state in
                if state.maintenance == enabled { state.core.maintained() }
            }
        } catch let error as MusterError where error.code == .notFound {
            forgotten()
        } catch {
            note("The maintenance mode cannot be set", error) { $0.failed(now: $1) }
        }
    }

    private func beat() async {
        do {
            if configuration.ttl != nil {
                let status: CheckStatus =
                    switch await health?() ?? .passing {
                    case .passing: .passing
                    case .warning: .warning
                    case .critical, .maintenance: .critical
                    }
                try await client.agent.update(
                    checkID: Self.checkID(of: serviceID),
                    status: status
                )
            } else if try await client.agent.service(serviceID).value == nil {
                forgotten()
                return
            }
            let now = configuration.clock.now()
            state.withLock { $0.core.beaten(now: now) }
        } catch let error as MusterError where error.saysUnknownCheck {
            forgotten()
        } catch {
            note("The heartbeat failed", error) { $0.beatFailed(now: $1) }
        }
    }

    private func forgotten() {
        let now = configuration.clock.now()
        state.withLock { $0.core.unknown(now: now) }
        logger.warning(
            "The agent does not know the instance (any more); it is registered again",
            metadata: ["service": "\(serviceID)"]
        )
    }

    /// Counts a failure unless it only says that the task was cancelled.
    private func note(
        _ message: Logger.Message,
        _ error: any Error,
        _ count: (inout RegistrarCore, ContinuousClock.Instant) -> Void
    ) {
        if Task.isCancelled { return }
        let now = configuration.clock.now()
        state.withLock { count(&$0.core, now) }
        logger.warning(
            message,
            metadata: ["service": "\(serviceID)", "error": "\(error)"]
        )
    }

    private func failed(
        _ message: Logger.Message,
        _ error: any Error,
        _ count: (inout RegistrarCore, ContinuousClock.Instant) -> Void
    ) throws {
        try Task.checkCancellation()
        note(message, error, count)
    }

    /// Removes the instance; no heartbeat is under way any more that could bring it back.
    private func deregister() async {
        var request = RegistryRequest(
            "PUT",
            "/v1/agent/service/deregister/" + RegistryRequest.encode(serviceID)
        )
        request.timeout = Limits.deregistration
        // A task of its own, awaited here: it must go on when this task is cancelled.
        let removal = Task { [client, request] in try await client.send(request) }
        do {
            let reply = try await removal.value
            logger.info(
                "Deregistered",
                metadata: ["service": "\(serviceID)", "status": "\(reply.status)"]
            )
        } catch {
            logger.warning(
                "The instance could not be deregistered",
                metadata: ["service": "\(serviceID)", "error": "\(error)"]
            )
        }
    }
}
