import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization
import Tracing

/// Sends requests and collects answers; see ``RequestRetries`` for what is sent again.
final class Transport: Sendable {
    let configuration: ClientConfiguration
    /// In the order in which they are tried.
    ///
    /// Invariant: there is at least one.
    private let endpoints: [TransportEndpoint]
    /// The place of the address that answered last: it is asked first.
    private let preferred = Atomic(0)
    private let token: TokenSource
    private let authorization: String?
    private let clock: TimeSource
    private let fixedTracer: (any Tracer)?

    init(
        configuration: ClientConfiguration,
        clock: TimeSource = .system,
        tracer: (any Tracer)? = nil
    ) throws {
        self.configuration = configuration
        self.clock = clock
        fixedTracer = tracer
        authorization = configuration.basicAuthentication.map {
            ClientConfiguration.basic(user: $0.user, password: $0.password)
        }
        token = try TokenSource(configuration)
        var endpoints: [TransportEndpoint] = []
        do {
            for address in configuration.addresses {
                endpoints.append(try TransportEndpoint(address, configuration))
            }
        } catch {
            for endpoint in endpoints { endpoint.abandon() }
            throw error
        }
        self.endpoints = endpoints
    }

    func shutdown() async throws {
        for endpoint in endpoints { try await endpoint.shutdown() }
    }

    // MARK: Requests with bodies that are held whole

    /// Sends a request; any status is an answer.
    ///
    /// Cancelling the task closes the connection at once.
    func send(_ request: RegistryRequest) async throws -> RegistryReply {
        let span = RequestSpan(tracer, request)
        do {
            let reply = try await retrying(request, span)
            span.end(status: reply.status)
            return reply
        } catch {
            span.end(error)
            throw error
        }
    }

    private enum Outcome {
        case reply(RegistryReply)
        case failure(SendFailure)

        func get() throws -> RegistryReply {
            switch self {
            case .reply(let reply): reply
            case .failure(let failure): throw failure.error
            }
        }
    }

    private func retrying(
        _ request: RegistryRequest,
        _ span: RequestSpan
    ) async throws -> RegistryReply {
        let retries = configuration.retries
        var backoff = Backoff(base: retries.firstWait, cap: retries.longestWait)
        var random = SystemRandomNumberGenerator()
        var place = preferred.load(ordering: .relaxed)
        var attempt = 1
        while true {
            var outcome: Outcome
            var tried = 0
            repeat {
                span.sent(to: endpoints[place].address, attempt: attempt)
                outcome = await once(request, at: endpoints[place])
                guard mayRepeat(request, after: outcome, at: place) else {
                    return try outcome.get()
                }
                tried += 1
                place = (place + 1) % endpoints.count
            } while tried < endpoints.count
            guard attempt < retries.attempts, !request.isWatch else {
                return try outcome.get()
            }
            attempt += 1
            try await clock.sleep(clock.now() + backoff.fail(using: &random))
        }
    }

    /// Whether another address, or the same one later, may be asked.
    private func mayRepeat(
        _ request: RegistryRequest,
        after outcome: Outcome,
        at place: Int
    ) -> Bool {
        let isRead = request.method == "GET" || request.method == "HEAD"
        switch outcome {
        case .reply(let reply):
            let refuses = reply.status == 429 || reply.status >= 500
            if !refuses { preferred.store(place, ordering: .relaxed) }
            // A server that limits says nothing of the others; a loop may ask one of them at once.
            let isForHere = reply.status == 429 || !request.isWatch
            return refuses && isRead && isForHere && !request.answersWithAnyStatus
        case .failure(let failure):
            switch failure.reach {
            case .notSent: return true
            case .perhapsArrived: return isRead && !request.isWatch
            case .tooLate:
                // It took the whole time already; the next request goes elsewhere.
                let next = (place + 1) % endpoints.count
                _ = preferred.compareExchange(expected: place, desired: next, ordering: .relaxed)
                return false
            case .final: return false
            }
        }
    }

    private func once(_ request: RegistryRequest, at endpoint: TransportEndpoint) async -> Outcome {
        do {
            var reply = try await attempt(request, at: endpoint)
            // What was refused for its token had no effect, so it may be sent with the new one.
            if reply.status == 403, request.token == nil,
                token.refresh(after: reply.tokenSent)
            {
                reply = try await attempt(request, at: endpoint)
            }
            return .reply(reply.reply)
        } catch {
            return .failure(SendFailure(error, request))
        }
    }

    private struct Answer {
        var reply: RegistryReply
        var tokenSent: String?
        var status: Int { reply.status }
    }

    private func attempt(
        _ request: RegistryRequest,
        at endpoint: TransportEndpoint
    ) async throws -> Answer {
        try Task.checkCancellation()
        let token = token.current
        let message = message(for: request, at: endpoint, token: token)
        let client = request.isWatch ? endpoint.watches : endpoint.calls
        let response = try await client.execute(message, timeout: timeout(of: request))
        let body = try await response.body.collect(upTo: configuration.maximumResponseBytes)
        try Task.checkCancellation()
        return Answer(reply: Self.reply(response, body), tokenSent: token)
    }

    private func timeout(of request: RegistryRequest) -> TimeAmount {
        TimeAmount(request.timeout ?? configuration.requestTimeout)
    }

    /// The process's tracer unless a test gave one; asked each time, because it may be set late.
    private var tracer: any Tracer { fixedTracer ?? InstrumentationSystem.tracer }

    /// The request as the HTTP client has it.
    private func message(
        for request: RegistryRequest,
        at endpoint: TransportEndpoint,
        token: String?
    ) -> HTTPClientRequest {
        var message = HTTPClientRequest(url: endpoint.base + request.target)
        message.method = HTTPMethod(rawValue: request.method)
        for (name, value) in request.headers { message.headers.add(name: name, value: value) }
        // A socket's path is no host, and a request without this header is refused.
        if endpoint.address.host == nil {
            message.headers.add(name: "Host", value: "localhost")
        }
        if let token = request.token ?? token, !token.isEmpty {
            message.headers.add(name: "X-Consul-Token", value: token)
        }
        if let authorization { message.headers.add(name: "Authorization", value: authorization) }
        if let body = request.body {
            message.headers.add(name: "Content-Type", value: "application/json")
            message.body = .bytes(ByteBuffer(bytes: body))
        }
        return message
    }

    private static func reply(_ response: HTTPClientResponse, _ body: ByteBuffer) -> RegistryReply {
        RegistryReply(
            status: Int(response.status.code),
            headers: response.headers.map { ($0.name, $0.value) },
            body: [UInt8](buffer: body)
        )
    }
}

// MARK: Bodies that are not held whole

extension Transport {
    /// Sends a request and hands on the pieces of a successful answer's body as they come.
    ///
    /// The reply has no body then; that of any other status has it. It is sent once, to the
    /// address that answered last.
    func download(
        _ request: RegistryRequest,
        _ handle: ([UInt8]) async throws -> Void
    ) async throws -> RegistryReply {
        let endpoint = endpoints[preferred.load(ordering: .relaxed)]
        let span = RequestSpan(tracer, request)
        span.sent(to: endpoint.address, attempt: 1)
        do {
            let message = message(for: request, at: endpoint, token: token.current)
            let response = try await Self.mapping(request) {
                try await endpoint.calls.execute(message, timeout: self.timeout(of: request))
            }
            var body = ByteBuffer()
            if response.status == .ok {
                var pieces = response.body.makeAsyncIterator()
                while let piece = try await Self.next(&pieces, request) {
                    try await handle([UInt8](buffer: piece))
                }
            } else {
                let limit = configuration.maximumResponseBytes
                body = try await Self.mapping(request) {
                    try await response.body.collect(upTo: limit)
                }
            }
            span.end(status: Int(response.status.code))
            return Self.reply(response, body)
        } catch {
            span.end(error)
            throw error
        }
    }

    private static func next(
        _ pieces: inout HTTPClientResponse.Body.AsyncIterator,
        _ request: RegistryRequest
    ) async throws -> ByteBuffer? {
        do { return try await pieces.next() } catch { throw SendFailure(error, request).error }
    }

    /// Sends a request whose body is made piece by piece; any status is an answer.
    ///
    /// It is sent once, to the address that answered last.
    func upload<Pieces: AsyncSequence & Sendable>(
        _ request: RegistryRequest,
        length: Int,
        _ pieces: Pieces
    ) async throws -> RegistryReply where Pieces.Element == [UInt8] {
        let endpoint = endpoints[preferred.load(ordering: .relaxed)]
        let span = RequestSpan(tracer, request)
        span.sent(to: endpoint.address, attempt: 1)
        var message = message(for: request, at: endpoint, token: token.current)
        message.body = .stream(pieces.map { ByteBuffer(bytes: $0) }, length: .known(Int64(length)))
        do {
            let response = try await endpoint.calls.execute(message, timeout: timeout(of: request))
            let body = try await response.body.collect(upTo: configuration.maximumResponseBytes)
            span.end(status: Int(response.status.code))
            return Self.reply(response, body)
        } catch {
            let failure = SendFailure(error, request)
            span.end(failure.error)
            throw failure.error
        }
    }

    private static func mapping<Value>(
        _ request: RegistryRequest,
        _ body: () async throws -> Value
    ) async throws -> Value {
        do { return try await body() } catch { throw SendFailure(error, request).error }
    }
}
