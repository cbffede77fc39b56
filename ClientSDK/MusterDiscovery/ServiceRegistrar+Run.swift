import Logging
import Metrics
import MusterAPI
import ServiceLifecycle
import Synchronization

extension ServiceRegistrar {
    /// Registers and keeps the instance alive until the group shuts down or the task is cancelled.
    ///
    /// Then no heartbeat is sent any more, the instance is deregistered, and on graceful shutdown
    /// callers get ``Configuration/drainDelay`` to notice, as ``Configuration/drain`` says.
    ///
    /// - Throws: What the readiness throws; `MusterError` when the agent refuses the very first
    ///   registration (codes `badRequest` and `forbidden`): no later attempt can succeed.
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
        await leave()
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

    // MARK: Registering

    /// What the agent is told: the wanted registration with the application's checks.
    ///
    /// An instance that was registered before keeps the health it last reported.
    private func complete(_ state: State) -> ServiceRegistration {
        var complete = state.registration
        for reported in reportedChecks {
            let status = state.accepted == nil ? nil : state.reported[reported.id]
            complete.checks.append(
                reported.definition(status: status ?? reported.check.initialStatus)
            )
        }
        return complete
    }

    private func register() async throws {
        let (wanted, message) = state.withLock { ($0.registration, complete($0)) }
        do {
            // Replacing the checks would also remove the one that says "in maintenance", which an
            // operator may have set; then the old checks stay instead.
            let known = try await client.agent.health(serviceID: serviceID)
            try Task.checkCancellation()
            let isMaintained = known?.aggregatedStatus == .maintenance
            state.withLock { $0.mayBeRegistered = true }
            // Never left halfway: a registration that the agent reads after the one that removes
            // the instance would bring it back for good.
            try await shielded(grace: Limits.leaving, clock: configuration.clock) { [client] in
                try await client.agent.register(message, replaceExistingChecks: !isMaintained)
            }
            registered(wanted)
        } catch let error as MusterError
            where error.code == .badRequest || error.code == .forbidden
        {
            try refused(wanted, error)
        } catch {
            if Task.isCancelled { return }
            note("The instance cannot be registered", error) { $0.failed(now: $1) }
        }
    }

    private func registered(_ wanted: ServiceRegistration) {
        let now = configuration.clock.now()
        let isFirst = state.withLock { state in
            let isFirst = state.accepted == nil
            state.accepted = wanted
            state.core.registered(now: now, maintenance: state.maintenance)
            // Something was changed while the request was on its way.
            if state.registration != wanted { state.core.changed() }
            return isFirst
        }
        if !isFirst { metrics.reregistrations.increment() }
        logger.info("Registered", metadata: ["service": "\(serviceID)"])
    }

    /// The agent will not have the registration.
    ///
    /// The first one is the application's mistake and ends the run. Later ones must not end an
    /// application that serves: a change is taken back, a lost permission may be given again.
    private func refused(_ wanted: ServiceRegistration, _ error: MusterError) throws {
        metrics.refused.increment()
        let now = configuration.clock.now()
        let isFirst = state.withLock { state in
            guard let accepted = state.accepted else { return true }
            if state.registration != wanted {
                state.core.changed()
            } else if accepted != wanted {
                state.registration = accepted
                state.core.changeRefused()
            } else {
                state.core.failed(now: now)
            }
            return false
        }
        if isFirst {
            var error = error
            error.message = "the agent refuses to register \(serviceID)"
            throw error
        }
        logger.error(
            "The agent refuses the registration",
            metadata: ["service": "\(serviceID)", "error": "\(error)"]
        )
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

    // MARK: Heartbeats

    private func beat() async {
        do {
            let sent = reportedChecks.isEmpty ? try await ask() : try await report()
            metrics.succeeded.increment()
            state.withLock { $0.core.beaten(sent: sent) }
        } catch let error as MusterError where error.saysUnknownCheck {
            metrics.unknown.increment()
            forgotten()
        } catch {
            if !Task.isCancelled { metrics.failed.increment() }
            note("The heartbeat failed", error) { $0.beatFailed(now: $1) }
        }
    }

    /// Asks whether the agent knows the instance; returns when it was asked.
    private func ask() async throws -> ContinuousClock.Instant {
        let sent = configuration.clock.now()
        let known = try await limited { [client, serviceID] in
            try await client.agent.service(serviceID).value
        }
        guard known != nil else {
            throw MusterError(code: .notFound, message: "unknown instance", status: 404)
        }
        return sent
    }

    /// Reports every check; returns when the first was sent.
    private func report() async throws -> ContinuousClock.Instant {
        try await withThrowingTaskGroup(of: ContinuousClock.Instant.self) { group in
            for reported in reportedChecks {
                group.addTask { try await self.report(reported) }
            }
            var first: ContinuousClock.Instant?
            var failure: (any Error)?
            while let outcome = await group.nextResult() {
                switch outcome {
                case .success(let sent): first = min(first ?? sent, sent)
                case .failure(let error):
                    // That the agent forgot one check outweighs any other failure.
                    let forgot = (error as? MusterError)?.saysUnknownCheck ?? false
                    if failure == nil || forgot { failure = error }
                }
            }
            if let failure { throw failure }
            return first ?? configuration.clock.now()
        }
    }

    private func report(_ reported: ReportedCheck) async throws -> ContinuousClock.Instant {
        let status = ReportedCheck.status(of: await reported.check.health())
        try Task.checkCancellation()
        let sent = configuration.clock.now()
        try await limited { [client] in
            try await client.agent.update(
                checkID: reported.id,
                status: status,
                output: ReportedCheck.output(of: status)
            )
        }
        state.withLock { $0.reported[reported.id] = status }
        return sent
    }

    /// A connection that hangs must not cost the whole TTL.
    private func limited<Value: Sendable>(
        _ request: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let limit = state.withLock { $0.core.beatLimit }
        return try await withTimeLimit(limit, clock: configuration.clock, request)
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
}
