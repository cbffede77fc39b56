import Logging
import MusterAPI
import MusterBalancing

extension Discovery {
    /// Runs the watch of one feed until it is cancelled or nobody has wanted it for a while.
    func watch(_ feed: Feed) async {
        await withTaskGroup(of: Void.self) { group in
            if !configuration.isOffline { group.addTask { await self.loop(feed) } }
            group.addTask { await self.waitUntilForgotten(feed) }
            group.addTask { await self.reviewBalancers(of: feed) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Returns when the feed has been without a handle for the time a watch lingers.
    private func waitUntilForgotten(_ feed: Feed) async {
        while !Task.isCancelled {
            await feed.abandoned.wait()
            // The sleep only throws when cancelled, which the loop's condition sees.
            try? await clock.sleep(clock.now() + configuration.linger)
            if !Task.isCancelled, forget(feed) { return }
        }
    }

    /// Tells the feed's balancers the time whenever it changes something for them.
    private func reviewBalancers(of feed: Feed) async {
        while !Task.isCancelled {
            let (next, reports) = feed.review(at: clock.now())
            for report in reports {
                logger.notice(
                    "Whom a balancer leaves out has changed",
                    metadata: [
                        "service": "\(feed.query.name)", "policy": "\(report.policy)",
                        "ejected": "\(report.status.ejected.map { "\($0.node)/\($0.serviceID)" })",
                        "panic": "\(report.status.isPanicking)",
                    ]
                )
            }
            if let next {
                await feed.changed.wait(until: next, clock: clock)
            } else {
                await feed.changed.wait()
            }
        }
    }

    /// Asks, publishes, asks again.
    private func loop(_ feed: Feed) async {
        var settings = WatchCore.Settings()
        settings.asking.wait = configuration.wait
        settings.emptyHold = configuration.emptyHold
        var system = SystemRandomNumberGenerator()
        var core = WatchCore(
            query: feed.query,
            settings: settings,
            seed: configuration.seed ?? system.next()
        )
        var bodyHash: Int?
        while !Task.isCancelled {
            switch core.next(now: clock.now()) {
            case .sleep(let moment):
                // The sleep only throws when cancelled, which the loop's condition sees.
                try? await clock.sleep(moment)
            case .ask(let index, let wait, let freshness):
                do {
                    let answer = try await ask(feed.query, index, wait, freshness)
                    let hash = Self.hash(of: answer.value.body)
                    let content: WatchCore.Content =
                        hash == bodyHash
                        ? .unchanged : .instances(try decode(answer.value, for: feed.query))
                    let snapshot = core.answered(
                        content,
                        index: answer.index,
                        lag: answer.lastContact,
                        now: clock.now()
                    )
                    // A refused answer (too old a server) must not count as the last one seen.
                    if core.accepted { bodyHash = hash }
                    if let snapshot { publish(snapshot, to: feed) }
                } catch {
                    if Task.isCancelled { return }
                    feed.note(error)
                    logger.warning(
                        "The registry does not answer; the last known instances stay in use",
                        metadata: ["service": "\(feed.query.name)", "error": "\(error)"]
                    )
                    if let snapshot = core.failed(now: clock.now()) {
                        publish(snapshot, to: feed)
                    }
                }
            }
        }
    }

    private static func hash(of body: [UInt8]) -> Int {
        var hasher = Hasher()
        body.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    private func publish(_ snapshot: ServiceSnapshot, to feed: Feed) {
        logger.debug(
            "Instances changed",
            metadata: [
                "service": "\(feed.query.name)", "instances": "\(snapshot.instances.count)",
                "origin": "\(snapshot.origin)", "index": "\(snapshot.index)",
            ]
        )
        feed.publish(snapshot)
    }

    private func ask(
        _ query: ServiceQuery,
        _ index: UInt64?,
        _ wait: Duration,
        _ freshness: ServiceQuery.Freshness
    ) async throws -> Response<RegistryReply> {
        let consistency: Consistency =
            switch freshness {
            case .standard: .standard
            case .consistent: .consistent
            case .stale: .stale
            }
        let response = try await client.query(
            query.path,
            query: query.parameters,
            options: QueryOptions(
                datacenter: query.datacenter,
                consistency: consistency,
                index: index,
                wait: wait,
                filter: query.filter
            )
        )
        guard response.value.isSuccess else {
            throw MusterError(
                code: .notFound,
                message: "the registry has no such endpoint",
                status: response.value.status,
                request: "GET \(query.path)"
            )
        }
        return response
    }

    /// Reads the instances that the query wants; those without a usable address are left out.
    private func decode(_ reply: RegistryReply, for query: ServiceQuery) throws -> [Instance] {
        let entries = try reply.decode([ServiceEntry].self)
        var instances: [Instance] = []
        instances.reserveCapacity(entries.count)
        for entry in entries {
            guard let instance = Instance(entry, zoneKey: query.zoneKey) else {
                logger.warning(
                    "An instance has no usable address and is left out",
                    metadata: ["service": "\(query.name)", "id": "\(entry.service.id)"]
                )
                continue
            }
            if instance.health <= query.minimumHealth { instances.append(instance) }
        }
        // Ordered and each once, so that equal content compares equal.
        return ServiceSnapshot(instances: instances, confirmed: clock.now()).instances
    }
}
