import Logging
import MusterAPI
import Synchronization

extension ServiceRegistrar {
    /// Takes the instance out; no heartbeat is under way any more that could bring it back.
    ///
    /// On graceful shutdown callers get time to notice; when cancelled there is none.
    func leave() async {
        let (mayBeRegistered, wasRegistered) = state.withLock {
            ($0.mayBeRegistered, $0.accepted != nil)
        }
        guard mayBeRegistered else { return }
        guard wasRegistered, !Task.isCancelled else { return await deregister() }
        switch configuration.drain {
        case .deregister:
            await deregister()
            await drain()
        case .maintenance(let reason):
            await request("Put into maintenance") { [client, serviceID] in
                try await client.agent.setMaintenance(true, serviceID: serviceID, reason: reason)
            }
            await drain()
            await deregister()
        }
    }

    private func drain() async {
        let end = configuration.clock.now() + configuration.drainDelay
        // The sleep only throws when cancelled: then there is no time left for draining.
        try? await configuration.clock.sleep(end)
    }

    private func deregister() async {
        await request("Deregistered") { [client, serviceID] in
            try await client.agent.deregister(serviceID: serviceID)
        }
        state.withLock { $0.core.left() }
    }

    /// Sends a request whether or not the task is cancelled, and not longer than the limit.
    private func request(
        _ done: Logger.Message,
        _ send: @escaping @Sendable () async throws -> Void
    ) async {
        let clock = configuration.clock
        do {
            try await shielded(grace: Limits.leaving, clock: clock) {
                try await withTimeLimit(Limits.leaving, clock: clock, send)
            }
            logger.info(done, metadata: ["service": "\(serviceID)"])
        } catch {
            logger.warning(
                "The instance could not be taken out",
                metadata: ["service": "\(serviceID)", "error": "\(error)"]
            )
        }
    }
}
