import Synchronization

/// A registry on the loopback that does exactly what a test says, request by request.
///
/// Nothing is answered until the test takes a request with ``next(_:)`` and answers, hangs up on
/// or ignores it: the test and the code under test move in lock step, without sleeping. What a test
/// does not care about is answered by rules: ``answer(_:with:)`` and ``refuse(_:with:times:)``.
public final class ScriptedRegistry: Sendable {
    private struct Rule {
        let prefix: String
        /// How often it still applies; nil is always.
        var left: Int?
        let reply: @Sendable (ScriptedRequest) -> ScriptedReply
    }

    private struct State {
        var arrived: [ScriptedRequest] = []
        var waiting: [(prefix: String, continuation: CheckedContinuation<ScriptedRequest, Never>)] =
            []
        var server: LoopbackServer?
        var port: Int?
        /// The newest first: it is asked first.
        var rules: [Rule] = []
    }

    private let state = Mutex(State())

    /// Makes a registry that does not listen yet.
    public init() {}

    /// Starts listening on a free port, or after ``stop()`` on the same one, and returns it.
    public func start() async throws -> Int {
        let server = server()
        let port = try await server.start(port: state.withLock { $0.port ?? 0 })
        state.withLock { $0.port = port }
        return port
    }

    /// Starts listening on a unix socket.
    public func start(socketPath: String) async throws {
        try await server().start(socketPath: socketPath)
    }

    /// Stops listening; connections that exist stay until the other side or the test closes them.
    public func stop() async throws {
        try await state.withLock(\.server)?.stop()
    }

    /// Goes away like a process that is killed: every connection is closed, new ones are refused.
    ///
    /// Requests that nobody has answered are lost. ``start()`` brings it back on the same port.
    public func crash() async throws {
        try await stop()
        state.withLock { $0.arrived = [] }
        hangUp()
    }

    /// Closes every connection without a word; new ones are taken.
    public func hangUp() { state.withLock(\.server)?.hangUp() }

    /// How many connections are open.
    public var connectionCount: Int { state.withLock(\.server)?.connectionCount ?? 0 }

    private func server() -> LoopbackServer {
        state.withLock { state in
            if let server = state.server { return server }
            let server = LoopbackServer { [weak self] in self?.arrived($0) }
            state.server = server
            return server
        }
    }

    /// The next request whose path begins with `prefix`; waits until there is one.
    ///
    /// A test that runs into its time limit here ends the process: the message says what it lacked.
    public func next(_ prefix: String = "/") async -> ScriptedRequest {
        await withTaskCancellationHandler {
            await arrival(prefix)
        } onCancel: {
            preconditionFailure("no request to \(prefix) came before the test was cancelled")
        }
    }

    private func arrival(_ prefix: String) async -> ScriptedRequest {
        await withCheckedContinuation { continuation in
            let request: ScriptedRequest? = state.withLock { state in
                if let index = state.arrived.firstIndex(where: { $0.target.hasPrefix(prefix) }) {
                    return state.arrived.remove(at: index)
                }
                state.waiting.append((prefix, continuation))
                return nil
            }
            if let request { continuation.resume(returning: request) }
        }
    }

    /// How many requests arrived that nobody has taken.
    public var unclaimed: Int { state.withLock { $0.arrived.count } }

    /// Answers every request whose path begins with `prefix` from now on, unseen by ``next(_:)``.
    ///
    /// The newest rule that fits counts. Replies may be faults: ``ScriptedReply/silence``,
    /// ``ScriptedReply/hangUp``, ``ScriptedReply/cutOff(after:)``.
    public func answer(
        _ prefix: String,
        with reply: @escaping @Sendable (ScriptedRequest) -> ScriptedReply
    ) {
        add(Rule(prefix: prefix, left: nil, reply: reply))
    }

    /// Answers the next requests whose path begins with `prefix` with a failure, and then no more.
    ///
    /// - Parameters:
    ///   - prefix: What the path begins with.
    ///   - failure: What they get.
    ///   - times: How many.
    public func refuse(
        _ prefix: String = "/",
        with failure: ScriptedReply = .unavailable,
        times: Int
    ) {
        add(Rule(prefix: prefix, left: times) { _ in failure })
    }

    private func add(_ rule: Rule) { state.withLock { $0.rules.insert(rule, at: 0) } }

    private func arrived(_ request: ScriptedRequest) {
        enum Action {
            case reply(ScriptedReply)
            case hand(CheckedContinuation<ScriptedRequest, Never>)
            case keep
        }
        let action: Action = state.withLock { state in
            if let index = state.rules.firstIndex(where: { request.target.hasPrefix($0.prefix) }) {
                let rule = state.rules[index]
                if let left = rule.left {
                    if left > 1 {
                        state.rules[index].left = left - 1
                    } else {
                        state.rules.remove(at: index)
                    }
                }
                return .reply(rule.reply(request))
            }
            let index = state.waiting.firstIndex { request.target.hasPrefix($0.prefix) }
            guard let index else {
                state.arrived.append(request)
                return .keep
            }
            return .hand(state.waiting.remove(at: index).continuation)
        }
        switch action {
        case .reply(let reply): request.answer(reply)
        case .hand(let continuation): continuation.resume(returning: request)
        case .keep: break
        }
    }
}
