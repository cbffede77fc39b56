import Logging
import MusterAPI
import MusterBalancing
import Synchronization

extension Discovery {
    /// Runs the watch of one feed until it is cancelled or nobody has wanted it for a while.
    ///
    /// - Parameters:
    ///   - feed: What it publishes to.
    ///   - delay: How long the first query is put off.
    func watch(_ feed: Feed, after delay: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            if !configuration.isOffline {
                group.addTask { await self.loop(feed, after: delay) }
            }
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

    /// Runs the watch's core: sends the queries it asks for and publishes what it decides.
    private func loop(_ feed: Feed, after delay: Duration) async {
        var system = SystemRandomNumberGenerator()
        var core = WatchCore(
            query: feed.query,
            settings: configuration.watchSettings(delay: delay),
            seed: configuration.seed ?? system.next(),
            now: clock.now()
        )
        let inbox = WatchInbox()
        await withDiscardingTaskGroup { group in
            if store != nil { group.addTask { await self.restore(feed, into: inbox) } }
            while !Task.isCancelled {
                let now = clock.now()
                for event in inbox.take() { core.handle(event, now: now) }
                for ask in core.asks(now: now) {
                    group.addTask { await self.ask(ask, feed, into: inbox) }
                }
                if let snapshot = core.snapshot(now: now) { publish(snapshot, to: feed) }
                feed.confirm(core.confirmed, resets: core.resets, now: now)
                if let deadline = core.deadline(now: now) {
                    await inbox.bell.wait(until: deadline, clock: clock)
                } else {
                    await inbox.bell.wait()
                }
            }
            group.cancelAll()
        }
    }

    private func publish(_ snapshot: ServiceSnapshot, to feed: Feed) {
        let before = feed.current?.origin
        switch (before, snapshot.origin) {
        case (.stale, .live), (.disk, .live):
            logger.notice("The registry answers again", metadata: feed.metadata(snapshot))
        case (_, .protected) where !(before?.isProtected ?? false):
            logger.warning(
                "The registry lists far fewer instances; the known ones stay in use for now",
                metadata: feed.metadata(snapshot)
            )
        default:
            logger.debug("Instances changed", metadata: feed.metadata(snapshot))
        }
        feed.publish(snapshot)
        store?.changed(feed)
    }

    // MARK: Queries

    /// Sends a query and posts what became of it.
    private func ask(_ ask: WatchCore.Ask, _ feed: Feed, into inbox: WatchInbox) async {
        do {
            let answer = try await answer(to: ask, of: feed.query)
            feed.metrics.answered(isChange: answer.content != .unchanged)
            inbox.post(.answered(source: ask.source, answer))
        } catch {
            if Task.isCancelled { return }
            let isLimited = (error as? MusterError)?.code == .rateLimited
            logger.log(
                level: feed.note(error) ? .warning : .debug,
                "The registry does not answer; the last known instances stay in use",
                metadata: [
                    "service": "\(feed.query.name)", "datacenter": "\(ask.datacenter)",
                    "error": "\(error)",
                ]
            )
            feed.metrics.failed(isLimited: isLimited)
            inbox.post(.failed(source: ask.source, keepsIndex: isLimited))
        }
    }

    private func answer(
        to ask: WatchCore.Ask,
        of query: ServiceQuery
    ) async throws -> SourceCore.Answer {
        let consistency: Consistency =
            switch ask.freshness {
            case .standard: .standard
            case .consistent: .consistent
            case .stale: .stale
            }
        let response = try await client.query(
            query.path,
            query: query.parameters,
            options: QueryOptions(
                datacenter: ask.datacenter.name,
                consistency: consistency,
                index: ask.index,
                wait: ask.wait,
                near: query.near?.node,
                nodeMeta: query.nodeMeta,
                filter: query.expression
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
        let hash = Self.hash(of: response.value.body)
        return SourceCore.Answer(
            content: hash == ask.seen
                ? .unchanged : .instances(try decode(response.value, for: query)),
            hash: hash,
            index: response.index,
            lag: response.lastContact
        )
    }

    private static func hash(of body: [UInt8]) -> Int {
        var hasher = Hasher()
        body.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    /// Reads the instances that the query wants; those without a usable address are left out.
    private func decode(_ reply: RegistryReply, for query: ServiceQuery) throws -> [Instance] {
        var instances: [Instance] = []
        try HealthEntryDecoder.decode(reply.body) { entry in
            // They come sorted by distance.
            if let near = query.near, instances.count >= near.count { return }
            guard let instance = Instance(entry, zoneKey: query.zoneKey) else {
                logger.warning(
                    "An instance has no usable address and is left out",
                    metadata: ["service": "\(query.name)", "id": "\(entry.serviceID)"]
                )
                return
            }
            if instance.health <= query.minimumHealth { instances.append(instance) }
        }
        // Without the room that the list has grown beyond what it holds: it is kept for long.
        let exact = instances.withUnsafeBufferPointer { Array($0) }
        // Ordered and each once, so that equal content compares equal.
        return ServiceSnapshot(instances: exact, confirmed: clock.now()).instances
    }
}

extension ServiceSnapshot.Origin {
    fileprivate var isProtected: Bool { if case .protected = self { true } else { false } }
}

/// What became of a watch's queries, until its loop takes it.
///
/// Bounded: each datacenter has one query under way at most.
final class WatchInbox: Sendable {
    private let events = Mutex<[WatchCore.Event]>([])
    /// Rings when something was posted.
    let bell = Doorbell()

    func post(_ event: WatchCore.Event) {
        events.withLock { $0.append(event) }
        bell.ring()
    }

    func take() -> [WatchCore.Event] {
        events.withLock { events in
            let taken = events
            events = []
            return taken
        }
    }
}
