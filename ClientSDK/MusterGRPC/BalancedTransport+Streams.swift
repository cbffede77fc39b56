#if GRPC
public import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import Metrics
import MusterAPI
import MusterBalancing
import MusterDiscovery

extension BalancedTransport {
    /// Opens a stream at an instance and runs `closure` with it.
    ///
    /// - Parameters:
    ///   - descriptor: The method.
    ///   - options: How the call is made.
    ///   - closure: Uses the stream.
    /// - Returns: What `closure` returned.
    /// - Throws: `RPCError` with code `unavailable` when no instance could be reached,
    ///   `failedPrecondition` after ``beginGracefulShutdown()``; what `closure` threw.
    public func withStream<T: Sendable>(
        descriptor: MethodDescriptor,
        options: CallOptions,
        _ closure: (
            _ stream: RPCStream<Inbound, Outbound>,
            _ context: ClientContext
        ) async throws -> T
    ) async throws -> T {
        let options = options.merged(with: config(forMethod: descriptor))
        var inner = options
        // It would wait for one instance while others are ready; the waiting is done here.
        inner.waitForReady = false
        let task = withUnsafeCurrentTask { $0?.hashValue }
        var search = Search(
            waits: options.waitForReady ?? false,
            task: task,
            began: settings.clock.now(),
            timeout: options.timeout
        )
        while true {
            let (backend, call) = try await next(&search)
            defer { backend.end() }
            var isOpen = false
            do {
                let transport = backend.transport
                return try await transport.withStream(descriptor: descriptor, options: inner) {
                    stream,
                    context in
                    isOpen = true
                    table.reachable(call.endpoint)
                    defer { end(call, isLate: search.isLate(at: settings.clock.now())) }
                    return try await closure(track(stream, call, task), context)
                }
            } catch {
                guard !isOpen else { throw error }
                try refused(call, backend, error, &search)
            }
        }
    }

    /// What a call knows while it looks for an instance that takes its stream.
    struct Search {
        let waits: Bool
        /// What tells the task apart.
        let task: Int?
        let began: ContinuousClock.Instant
        let timeout: Duration?
        /// Those that did not take it in this round.
        var tried: [ServiceEndpoint] = []
        /// Which state of the table the round began with.
        var version = 0
        var lastError: (any Error)?

        init(waits: Bool, task: Int?, began: ContinuousClock.Instant, timeout: Duration?) {
            self.waits = waits
            self.task = task
            self.began = began
            self.timeout = timeout
        }

        /// Whether the call's time is over, which began just before the transport heard of it:
        /// hence the twentieth.
        func isLate(at now: ContinuousClock.Instant) -> Bool {
            timeout.map { began.duration(to: now) >= $0 * 19 / 20 } ?? false
        }
    }

    // MARK: Finding an instance

    /// An instance to ask, which has counted the stream.
    ///
    /// Waits for the first snapshot, and for more when the call wants that.
    private func next(
        _ search: inout Search
    ) async throws -> (Backend, OpenCall) {
        while true {
            try Task.checkCancellation()
            if search.tried.isEmpty { search.version = table.changed.version }
            guard !table.isClosed else {
                throw RPCError(
                    code: .failedPrecondition,
                    message: "the transport is shutting down"
                )
            }
            guard table.hasSnapshot else {
                try await waitForSnapshot(search)
                continue
            }
            let limit = max(1, min(settings.attempts, Limits.mostAttempts))
            if search.tried.count < limit, let found = pick(&search) { return found }
            guard search.waits else { throw unavailable(search) }
            // Something may change, or someone may have come back.
            await table.changed.wait(
                after: search.version,
                until: settings.clock.now() + Limits.pause,
                settings.clock
            )
            search.tried = []
        }
    }

    private func waitForSnapshot(_ search: Search) async throws {
        if !search.waits {
            do {
                _ = try await service.firstSnapshot()
            } catch {
                try Task.checkCancellation()
                throw RPCError(
                    code: .unavailable,
                    message: "the instances of service \"\(service.query.name)\" are not known: "
                        + "\(error)"
                )
            }
        }
        // The registry has answered, or will: what follows the snapshots takes it next.
        await table.changed.wait(after: search.version)
    }

    /// Picks an instance that was not tried in this round; nil when there is none.
    private func pick(_ search: inout Search) -> (Backend, OpenCall)? {
        let now = settings.clock.now()
        let pausing = table.avoided(task: search.task, at: now)
        let request = PickRequest(avoiding: search.tried + pausing)
        let call: OpenCall
        do {
            call = OpenCall(
                try balancer.pick(request, at: now),
                started: now,
                clock: settings.clock
            )
        } catch {
            search.lastError = search.lastError ?? error
            return nil
        }
        guard !search.tried.contains(call.endpoint) else { return nil }
        guard let backend = table.backend(at: call.endpoint), backend.begin() else {
            // It left this moment, or cannot be used at all.
            search.tried.append(call.endpoint)
            return pick(&search)
        }
        return (backend, call)
    }

    private func unavailable(_ search: Search) -> RPCError {
        let name = service.query.name
        guard !search.tried.isEmpty else {
            return RPCError(
                code: .unavailable,
                message: "service \"\(name)\" has no instance that takes calls: check that it is "
                    + "registered and that its checks pass"
            )
        }
        let tried = search.tried.map(\.description).joined(separator: ", ")
        let reason = search.lastError.map { ": \($0)" } ?? ""
        return RPCError(
            code: .unavailable,
            message: "no instance of service \"\(name)\" could be reached (\(tried))\(reason)"
        )
    }

    /// Notes that an instance did not take a stream; nothing of the call was sent.
    private func refused(
        _ call: OpenCall,
        _ backend: Backend,
        _ error: any Error,
        _ search: inout Search
    ) throws {
        if Task.isCancelled || error is CancellationError {
            call.complete(search.isLate(at: settings.clock.now()) ? .failure : .cancelled)
            throw error
        }
        // That an instance leaves is no failure of its.
        let isLeaving = backend.isRetired
        call.complete(isLeaving ? .cancelled : .failure)
        if !isLeaving {
            table.unreachable(call.endpoint, until: settings.clock.now() + Limits.pause)
        }
        metrics.reopened.increment()
        logger.debug(
            "An instance takes no stream; another one is tried",
            metadata: ["endpoint": "\(call.endpoint)", "error": "\(error)"]
        )
        search.tried.append(call.endpoint)
        search.lastError = error
    }

    // MARK: The stream

    private func track(
        _ stream: RPCStream<Inbound, Outbound>,
        _ call: OpenCall,
        _ task: Int?
    ) -> RPCStream<Inbound, Outbound> {
        let type = stream.descriptor.type
        let inbound = TrackedInbound(
            base: stream.inbound,
            call: call,
            holdsBack: type == .unary || type == .clientStreaming
        ) { [table, settings] in
            let until = settings.clock.now() + Limits.pause
            table.failed(call.endpoint, task: task, until: until)
        }
        return RPCStream(
            descriptor: stream.descriptor,
            inbound: RPCAsyncSequence(wrapping: inbound),
            outbound: stream.outbound
        )
    }

    /// Ends a call that has no status: by what is known of it, or as too slow.
    private func end(_ call: OpenCall, isLate: Bool) {
        if isLate { call.complete(.failure) } else { call.finish() }
    }
}
#endif
