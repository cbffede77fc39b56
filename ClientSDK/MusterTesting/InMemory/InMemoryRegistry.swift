public import MusterAPI
import Synchronization

/// A small registry in the test's own process, on a real loopback socket.
///
/// It is one agent with one node that knows registration and maintenance, TTL checks, health and
/// catalog lookups with blocking queries, KV with check-and-set and locks, and sessions; enough to
/// test an application without a server. It has no access control, no transactions and of filters
/// only those on metadata, and runs no checks of its own: an HTTP or TCP check stays as it was
/// registered until ``set(_:of:)``.
/// A request that it does not know gets status 404 with a text that says so.
///
/// It can be stopped, restarted without its memory, frozen, and made to lie:
/// ``restart(forgetting:)``, ``misbehave(_:on:)``. With a ``ManualClock`` TTLs, sessions and
/// blocking queries end when the test says so.
public final class InMemoryRegistry: Sendable {
    private struct Parked {
        let request: ScriptedRequest
        let parts: InMemoryRequest
        /// The index that the asker knows already.
        let index: UInt64
        let deadline: ContinuousClock.Instant
    }

    struct Rule {
        let prefix: String
        let misbehaviour: Misbehaviour
    }

    private struct Observer {
        let condition: @Sendable (Contents) -> Bool
        let continuation: CheckedContinuation<Contents?, Never>
    }

    private struct State {
        var registry = InMemoryState()
        var parked: [Parked] = []
        var held: [ScriptedRequest] = []
        var rules: [Rule] = []
        var requestCount = 0
        var nextObserver = 0
        var observers: [Int: Observer] = [:]
    }

    /// What is to be sent, and whom to wake, when the lock is given back.
    private struct Outcome {
        var replies: [(ScriptedRequest, ScriptedReply)] = []
        var observations: [(CheckedContinuation<Contents?, Never>, Contents)] = []

        func deliver() {
            for (request, reply) in replies { request.answer(reply) }
            for (continuation, contents) in observations {
                continuation.resume(returning: contents)
            }
        }
    }

    /// Where it listens; the same after a restart.
    public let address: RegistryAddress

    private let clock: TimeSource
    private let server: LoopbackServer
    private let port: Int
    private let state = Mutex(State())
    private let bell = Doorbell()

    private init(clock: TimeSource) async throws {
        self.clock = clock
        let relay = Relay()
        server = LoopbackServer { relay.registry?.arrived($0) }
        port = try await server.start()
        address = .http(host: "127.0.0.1", port: port)
        relay.point(to: self)
    }

    /// Runs `body` with a registry that listens until `body` returns.
    ///
    /// - Parameters:
    ///   - clock: What TTLs, sessions and blocking queries end by.
    ///   - isolation: The actor the caller runs on; `body` runs there too.
    ///   - body: The test.
    /// - Returns: What `body` returned.
    /// - Throws: What `body` threw, or that no port could be opened.
    public static func withRegistry<Result: Sendable>(
        clock: TimeSource = .system,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (InMemoryRegistry) async throws -> Result
    ) async throws -> Result {
        let registry = try await InMemoryRegistry(clock: clock)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await registry.keepTime() }
            let result: Swift.Result<Result, any Error>
            do { result = .success(try await body(registry)) } catch { result = .failure(error) }
            group.cancelAll()
            try await registry.stop()
            return try result.get()
        }
    }

    /// A client's configuration that leads here.
    public var clientConfiguration: ClientConfiguration { ClientConfiguration(address: address) }

    // MARK: Faults

    /// Goes away: connections are closed and new ones refused, until ``resume()``.
    public func stop() async throws {
        try await server.stop()
        state.withLock { state in
            state.parked = []
            state.held = []
        }
        server.hangUp()
    }

    /// Listens again, on the same port.
    public func resume() async throws {
        _ = try await server.start(port: port)
    }

    /// Goes away and comes back on the same port.
    ///
    /// - Parameter forgetting: Whether all is forgotten and indexes begin anew, as with an agent
    ///   that keeps nothing on disk (`-dev`).
    /// - Throws: When its port cannot be opened again.
    public func restart(forgetting: Bool = true) async throws {
        try await stop()
        if forgetting { change { registry, _ in registry.forgetAgentState() } }
        try await resume()
    }

    /// Behaves badly towards requests whose path begins with `prefix`, until ``behave()``.
    public func misbehave(_ misbehaviour: Misbehaviour, on prefix: String = "/") {
        state.withLock { $0.rules.insert(Rule(prefix: prefix, misbehaviour: misbehaviour), at: 0) }
    }

    /// Behaves again; requests that were met with silence are answered now.
    public func behave() {
        let held = state.withLock { state in
            state.rules = []
            let held = state.held
            state.held = []
            return held
        }
        for request in held { arrived(request) }
    }

    // MARK: What it knows

    /// What it knows now.
    public var contents: Contents { state.withLock { Contents($0.registry) } }

    /// How many requests it has got.
    public var requestCount: Int { state.withLock(\.requestCount) }

    /// How many blocking queries wait for a change.
    public var waitingCount: Int { state.withLock(\.parked.count) }

    /// What it knows as soon as that satisfies `condition`.
    ///
    /// - Parameter condition: What is waited for; called at each change.
    /// - Returns: The contents that satisfied it.
    /// - Throws: `CancellationError` when the task is cancelled first.
    public func contents(
        where condition: @escaping @Sendable (Contents) -> Bool
    ) async throws -> Contents {
        let number = state.withLock { state in
            state.nextObserver += 1
            return state.nextObserver
        }
        let found: Contents? = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome: Contents?? = state.withLock { state in
                    if Task.isCancelled { return .some(nil) }
                    let contents = Contents(state.registry)
                    if condition(contents) { return contents }
                    state.observers[number] = Observer(
                        condition: condition,
                        continuation: continuation
                    )
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let observer = state.withLock { $0.observers.removeValue(forKey: number) }
            observer?.continuation.resume(returning: nil)
        }
        guard let found else { throw CancellationError() }
        return found
    }

    /// Changes what it knows and wakes whoever waits for that.
    func change<Result>(
        _ body: (inout InMemoryState, ContinuousClock.Instant) throws -> Result
    ) rethrows -> Result {
        let now = clock.now()
        let (result, outcome) = try state.withLock { state in
            let result = try body(&state.registry, now)
            return (result, Self.settle(&state, now))
        }
        outcome.deliver()
        bell.ring()
        return result
    }

    // MARK: Requests

    private func arrived(_ request: ScriptedRequest) {
        let now = clock.now()
        let outcome = state.withLock { state -> Outcome in
            state.requestCount += 1
            let rule = state.rules.first { request.target.hasPrefix($0.prefix) }
            if case .silence? = rule?.misbehaviour.kind {
                state.held.append(request)
                return Outcome()
            }
            if let reply = rule?.misbehaviour.refusal {
                return Outcome(replies: [(request, reply)])
            }
            let parts = InMemoryRequest(request)
            state.registry.expire(now: now)
            let reply = state.registry.answer(parts, now: now)
            var outcome = Outcome()
            if let parked = Self.park(request, parts, reply, now) {
                state.parked.append(parked)
            } else {
                outcome.replies.append((request, Self.bend(reply, parts, rule)))
            }
            let others = Self.settle(&state, now)
            outcome.replies += others.replies
            outcome.observations = others.observations
            return outcome
        }
        outcome.deliver()
        bell.ring()
    }

    /// The request as one that waits, nil when its answer is due at once.
    private static func park(
        _ request: ScriptedRequest,
        _ parts: InMemoryRequest,
        _ reply: ScriptedReply,
        _ now: ContinuousClock.Instant
    ) -> Parked? {
        guard parts.method == "GET", let index = reply.index,
            // Not a number: refused already, with an answer that has no index.
            let known = try? parts.number("index"), known > 0, index == known,
            // Not a duration: the same.
            let wait = try? parts.wait()
        else { return nil }
        return Parked(request: request, parts: parts, index: known, deadline: now + wait)
    }

    private static func bend(
        _ reply: ScriptedReply,
        _ parts: InMemoryRequest,
        _ rule: Rule?
    ) -> ScriptedReply {
        guard let rule, parts.method == "GET" else { return reply }
        return rule.misbehaviour.bend(reply)
    }

    /// Answers the blocking queries whose answer is due and the observers whose condition holds.
    private static func settle(_ state: inout State, _ now: ContinuousClock.Instant) -> Outcome {
        var outcome = Outcome()
        var parked: [Parked] = []
        for waiting in state.parked {
            let reply = state.registry.answer(waiting.parts, now: now)
            if reply.index == waiting.index, now < waiting.deadline {
                parked.append(waiting)
            } else {
                let rule = state.rules.first { waiting.request.target.hasPrefix($0.prefix) }
                outcome.replies.append((waiting.request, bend(reply, waiting.parts, rule)))
            }
        }
        state.parked = parked
        guard !state.observers.isEmpty else { return outcome }
        let contents = Contents(state.registry)
        for (number, observer) in state.observers where observer.condition(contents) {
            state.observers[number] = nil
            outcome.observations.append((observer.continuation, contents))
        }
        return outcome
    }

    /// Lets happen what is due, until the task is cancelled.
    private func keepTime() async {
        while !Task.isCancelled {
            let now = clock.now()
            let (outcome, next) = state.withLock { state in
                state.registry.expire(now: now)
                let outcome = Self.settle(&state, now)
                let deadlines =
                    state.parked.map(\.deadline)
                    + [state.registry.nextDeadline]
                    .compactMap(\.self)
                return (outcome, deadlines.min())
            }
            outcome.deliver()
            if let next {
                await bell.wait(until: next, clock: clock)
            } else {
                await bell.wait()
            }
        }
    }
}

/// Leads from the server, which is made first, to its registry.
private final class Relay: Sendable {
    private struct Target {
        weak var registry: InMemoryRegistry?
    }

    private let target = Mutex(Target())

    var registry: InMemoryRegistry? { target.withLock(\.registry) }

    func point(to registry: InMemoryRegistry) { target.withLock { $0.registry = registry } }
}
