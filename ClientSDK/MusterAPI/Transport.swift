import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Sends requests and collects answers.
///
/// Blocking queries and all other requests have connection pools of their own: a pool's
/// connections are limited per host, and hanging queries would make a heartbeat wait for its TTL.
final class Transport: Sendable {
    private let configuration: ClientConfiguration
    private let base: String
    private let calls: HTTPClient
    private let watches: HTTPClient
    private let token: Mutex<String?>
    private let authorization: String?

    init(configuration: ClientConfiguration) throws {
        self.configuration = configuration
        let tls = configuration.address.usesTLS ? configuration.tls : nil
        base = configuration.address.base(serverName: tls?.serverName)
        authorization = configuration.basicAuthentication.map {
            ClientConfiguration.basic(user: $0.user, password: $0.password)
        }
        token = Mutex(
            try configuration.token
                ?? configuration.tokenFile.flatMap(
                    ClientConfiguration.readToken(at:)
                )
        )
        let pooled = { (connections: Int) in
            HTTPClient(
                eventLoopGroupProvider: .singleton,
                configuration: try Self.settings(configuration, connections: connections)
            )
        }
        calls = try pooled(configuration.maximumCalls)
        do {
            watches = try pooled(configuration.maximumWatches)
        } catch {
            try? calls.syncShutdown()  // Nothing was sent; the error of the settings matters.
            throw error
        }
    }

    func shutdown() async throws {
        try await watches.shutdown()
        try await calls.shutdown()
    }

    /// Sends a request; any status is an answer.
    ///
    /// Cancelling the task closes the connection at once.
    func send(_ request: RegistryRequest) async throws -> RegistryReply {
        do {
            return try await attempt(request)
        } catch let error as HTTPClientError
            where error == .remoteConnectionClosed && request.method == "GET" && !request.isWatch
        {
            // An idle connection that the agent closed while the request was on its way.
            return try await mapping(request) { try await self.attempt(request) }
        } catch {
            throw Self.translate(error, request)
        }
    }

    private func mapping(
        _ request: RegistryRequest,
        _ body: () async throws -> RegistryReply
    ) async throws -> RegistryReply {
        do { return try await body() } catch { throw Self.translate(error, request) }
    }

    /// The request as the HTTP client has it.
    private func message(for request: RegistryRequest) -> HTTPClientRequest {
        var message = HTTPClientRequest(url: base + request.target)
        message.method = HTTPMethod(rawValue: request.method)
        for (name, value) in request.headers { message.headers.add(name: name, value: value) }
        // A socket's path is no host, and a request without this header is refused.
        if configuration.address.host == nil {
            message.headers.add(name: "Host", value: "localhost")
        }
        if let token = request.token ?? token.withLock(\.self), !token.isEmpty {
            message.headers.add(name: "X-Consul-Token", value: token)
        }
        if let authorization { message.headers.add(name: "Authorization", value: authorization) }
        if let body = request.body {
            message.headers.add(name: "Content-Type", value: "application/json")
            message.body = .bytes(ByteBuffer(bytes: body))
        }
        return message
    }

    private func attempt(_ request: RegistryRequest) async throws -> RegistryReply {
        let message = message(for: request)
        let timeout = TimeAmount(request.timeout ?? configuration.requestTimeout)
        let response = try await (request.isWatch ? watches : calls)
            .execute(message, timeout: timeout)
        let body = try await response.body.collect(upTo: configuration.maximumResponseBytes)
        try Task.checkCancellation()
        if response.status == .forbidden { refreshToken() }
        return Self.reply(response, body)
    }

    // MARK: Bodies that are not held whole

    /// Sends a request and hands on the pieces of a successful answer's body as they come.
    ///
    /// The reply has no body then; that of any other status has it.
    func download(
        _ request: RegistryRequest,
        _ handle: ([UInt8]) async throws -> Void
    ) async throws -> RegistryReply {
        let message = message(for: request)
        let timeout = TimeAmount(request.timeout ?? configuration.requestTimeout)
        let response: HTTPClientResponse
        do {
            response = try await calls.execute(message, timeout: timeout)
        } catch {
            throw Self.translate(error, request)
        }
        var body = ByteBuffer()
        if response.status == .ok {
            var pieces = response.body.makeAsyncIterator()
            while let piece = try await Self.next(&pieces, request) {
                try await handle([UInt8](buffer: piece))
            }
        } else {
            body = try await response.body.collect(upTo: configuration.maximumResponseBytes)
        }
        return Self.reply(response, body)
    }

    private static func next(
        _ pieces: inout HTTPClientResponse.Body.AsyncIterator,
        _ request: RegistryRequest
    ) async throws -> ByteBuffer? {
        do { return try await pieces.next() } catch { throw translate(error, request) }
    }

    /// Sends a request whose body is made piece by piece; any status is an answer.
    func upload<Pieces: AsyncSequence & Sendable>(
        _ request: RegistryRequest,
        length: Int,
        _ pieces: Pieces
    ) async throws -> RegistryReply where Pieces.Element == [UInt8] {
        var message = message(for: request)
        message.body = .stream(pieces.map { ByteBuffer(bytes: $0) }, length: .known(Int64(length)))
        let timeout = TimeAmount(request.timeout ?? configuration.requestTimeout)
        do {
            let response = try await calls.execute(message, timeout: timeout)
            let body = try await response.body.collect(upTo: configuration.maximumResponseBytes)
            return Self.reply(response, body)
        } catch {
            throw Self.translate(error, request)
        }
    }

    private static func reply(_ response: HTTPClientResponse, _ body: ByteBuffer) -> RegistryReply {
        RegistryReply(
            status: Int(response.status.code),
            headers: response.headers.map { ($0.name, $0.value) },
            body: [UInt8](buffer: body)
        )
    }

    /// Reads the token file again: a 403 may mean that the token was rotated.
    private func refreshToken() {
        guard configuration.token == nil, let file = configuration.tokenFile else { return }
        // An unreadable file keeps the old token; the caller sees the 403 in either case.
        guard let fresh = try? ClientConfiguration.readToken(at: file) else { return }
        token.withLock { $0 = fresh }
    }

    /// Turns what the HTTP client throws into the SDK's error.
    private static func translate(_ error: any Error, _ request: RegistryRequest) -> any Error {
        let line = "\(request.method) \(request.target)"
        switch error {
        case is CancellationError: return error
        case let error as HTTPClientError where error == .cancelled:
            return CancellationError()
        case let error as HTTPClientError
        where error == .deadlineExceeded || error == .readTimeout
            || error == .getConnectionFromPoolTimeout:
            return MusterError(
                code: .timeout,
                message: "no answer in time",
                request: line,
                cause: error
            )
        case is NIOTooManyBytesError:
            return MusterError(
                code: .tooLarge,
                message: "the answer is larger than the setting allows",
                request: line
            )
        case let error as HTTPClientError
        where error == .invalidURL || error == .emptyHost || error == .missingSocketPath:
            return MusterError(
                code: .invalidConfiguration,
                message: "the address cannot be used",
                request: line,
                cause: error
            )
        default:
            return MusterError(
                code: .unreachable,
                message: "no connection to the registry",
                request: line,
                cause: error
            )
        }
    }

    private static func settings(
        _ configuration: ClientConfiguration,
        connections: Int
    ) throws -> HTTPClient.Configuration {
        var settings = HTTPClient.Configuration(redirectConfiguration: .disallow)
        settings.timeout.connect = TimeAmount(configuration.connectTimeout)
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, connections)
        // A refused connection is an answer: retrying inside would hide it for ten seconds.
        settings.connectionPool.retryConnectionEstablishment = false
        settings.httpVersion = .http1Only
        settings.http1_1ConnectionDebugInitializer = { keepAlive($0) }
        guard configuration.address.usesTLS else { return settings }
        settings.tlsConfiguration = try tlsSettings(configuration.tls)
        if let name = configuration.tls.serverName, let host = configuration.address.host {
            settings.dnsOverride = [name: host]
        }
        return settings
    }

    private static func tlsSettings(_ tls: ClientConfiguration.TLS) throws -> TLSConfiguration {
        var settings = TLSConfiguration.makeClientConfiguration()
        do {
            if let file = tls.authorityFile {
                settings.trustRoots = .file(file)
            } else if let directory = tls.authorityDirectory {
                settings.trustRoots = .file(directory)
            }
            if let file = tls.certificateFile {
                settings.certificateChain = try NIOSSLCertificate.fromPEMFile(file)
                    .map { .certificate($0) }
            }
            if let file = tls.keyFile {
                settings.privateKey = .privateKey(try NIOSSLPrivateKey(file: file, format: .pem))
            }
        } catch {
            throw MusterError(
                code: .invalidConfiguration,
                message: "the client's certificate or key cannot be read",
                cause: error
            )
        }
        if !tls.verifies { settings.certificateVerification = .none }
        return settings
    }
}
