package import Tracing

/// A client of one registry agent; Muster's or Consul's.
///
/// Its parts follow the HTTP API: ``agent``, ``catalog``, ``health``, ``keyValue`` and so on. It
/// holds connections: call ``shutdown()`` when done, or use ``withClient(_:isolation:_:)``.
public final class MusterClient: Sendable {
    /// How the client reaches the registry.
    public let configuration: ClientConfiguration

    private let transport: Transport

    /// Makes a client; nothing is sent yet.
    ///
    /// - Parameter configuration: How to reach the registry.
    /// - Throws: ``MusterError`` when a token file, certificate or key cannot be read.
    public init(configuration: ClientConfiguration = ClientConfiguration()) throws {
        self.configuration = configuration
        transport = try Transport(configuration: configuration)
    }

    /// Makes a client whose clock and tracer are a test's.
    package init(
        configuration: ClientConfiguration,
        clock: TimeSource,
        tracer: (any Tracer)? = nil
    ) throws {
        self.configuration = configuration
        transport = try Transport(configuration: configuration, clock: clock, tracer: tracer)
    }

    /// Closes all connections; requests under way fail.
    public func shutdown() async throws {
        try await transport.shutdown()
    }

    /// Runs `body` with a client and shuts the client down afterwards.
    ///
    /// - Parameters:
    ///   - configuration: How to reach the registry.
    ///   - isolation: The actor the caller runs on; `body` runs there too.
    ///   - body: What to do with the client.
    /// - Returns: What `body` returned.
    /// - Throws: What `body` threw, or ``MusterError`` when the configuration cannot be used.
    public static func withClient<Result>(
        _ configuration: ClientConfiguration = ClientConfiguration(),
        isolation: isolated (any Actor)? = #isolation,
        _ body: (MusterClient) async throws -> sending Result
    ) async throws -> sending Result {
        let client = try MusterClient(configuration: configuration)
        do {
            let result = try await body(client)
            try await client.shutdown()
            return result
        } catch {
            // The error of the body matters more than one of the shutdown.
            try? await client.shutdown()
            throw error
        }
    }

    /// Sends a request as it is and returns the answer whatever its status.
    ///
    /// - Parameter request: The request.
    /// - Returns: The answer.
    /// - Throws: ``MusterError`` when there is no answer; `CancellationError` when cancelled.
    public func send(_ request: RegistryRequest) async throws -> RegistryReply {
        try await transport.send(request)
    }

    /// Sends a query and hands on the pieces of its answer as they come.
    func download(
        _ request: RegistryRequest,
        _ options: QueryOptions,
        _ handle: ([UInt8]) async throws -> Void
    ) async throws -> Response<Void> {
        var request = request
        var options = options
        if options.datacenter == nil { options.datacenter = configuration.datacenter }
        request.apply(options)
        let reply = try await transport.download(request, handle)
        try Self.requireSuccess(reply, request)
        return Response(reading: reply).map { _ in }
    }

    /// Sends a write whose body is made piece by piece.
    func upload<Pieces: AsyncSequence & Sendable>(
        _ request: RegistryRequest,
        _ options: WriteOptions,
        length: Int,
        _ pieces: Pieces
    ) async throws where Pieces.Element == [UInt8] {
        var request = request
        var options = options
        if options.datacenter == nil { options.datacenter = configuration.datacenter }
        request.apply(options)
        let reply = try await transport.upload(request, length: length, pieces)
        try Self.requireSuccess(reply, request)
    }

    private static func requireSuccess(
        _ reply: RegistryReply,
        _ request: RegistryRequest
    ) throws {
        guard reply.isSuccess else {
            throw MusterError.refused(
                status: reply.status,
                body: reply.body,
                request: "\(request.method) \(request.target)"
            )
        }
    }
}

extension MusterClient {
    /// Asks a query as it is: for endpoints that have no typed function.
    ///
    /// - Parameters:
    ///   - path: The percent-encoded path from `/v1` on.
    ///   - query: Further parameters.
    ///   - options: How it is asked, blocking included.
    /// - Returns: The answer with status 200, or 404, and its index.
    /// - Throws: ``MusterError`` for any other status.
    public func query(
        _ path: String,
        query: [(name: String, value: String?)] = [],
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<RegistryReply> {
        try await read(RegistryRequest("GET", path, query: query), options)
    }

    /// Sends a query; 404 is an answer, other failures are errors.
    func read(
        _ request: RegistryRequest,
        _ options: QueryOptions
    ) async throws -> Response<RegistryReply> {
        var request = request
        var options = options
        if options.datacenter == nil { options.datacenter = configuration.datacenter }
        request.apply(options)
        let reply = try await send(request)
        guard reply.isSuccess || reply.status == 404 else {
            throw MusterError.refused(
                status: reply.status,
                body: reply.body,
                request: "\(request.method) \(request.target)"
            )
        }
        return Response(reading: reply)
    }

    /// Sends a query and decodes its answer; 404 is an error.
    func get<Value: Decodable>(
        _ type: Value.Type,
        _ request: RegistryRequest,
        _ options: QueryOptions
    ) async throws -> Response<Value> {
        try await found(request, options).map { try Self.decode(type, from: $0, request) }
    }

    /// Sends a query; 404 is an error.
    func found(
        _ request: RegistryRequest,
        _ options: QueryOptions
    ) async throws -> Response<RegistryReply> {
        let response = try await read(request, options)
        guard response.value.status != 404 else {
            throw MusterError.refused(
                status: 404,
                body: response.value.body,
                request: "\(request.method) \(request.path)"
            )
        }
        return response
    }

    /// Sends a query and decodes its answer; 404 and `null` are nil.
    func find<Value: Decodable>(
        _ type: Value.Type,
        _ request: RegistryRequest,
        _ options: QueryOptions
    ) async throws -> Response<Value?> {
        try await read(request, options).map { reply in
            reply.status == 404 ? nil : try Self.decode(Value?.self, from: reply, request)
        }
    }

    /// Sends a write; any status but success is an error.
    @discardableResult
    func write(
        _ request: RegistryRequest,
        _ options: WriteOptions = WriteOptions()
    ) async throws -> RegistryReply {
        var request = request
        var options = options
        if options.datacenter == nil { options.datacenter = configuration.datacenter }
        request.apply(options)
        let reply = try await send(request)
        guard reply.isSuccess else {
            throw MusterError.refused(
                status: reply.status,
                body: reply.body,
                request: "\(request.method) \(request.target)"
            )
        }
        return reply
    }

    /// Decodes a body.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        from reply: RegistryReply,
        _ request: RegistryRequest
    ) throws -> Value {
        do {
            return try reply.decode(type)
        } catch var error as MusterError {
            error.request = "\(request.method) \(request.path)"
            throw error
        }
    }

    /// Encodes a body.
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        do {
            return try JSONCoding.encode(value)
        } catch {
            throw MusterError(
                code: .badRequest,
                message: "the value cannot be written as JSON",
                cause: error
            )
        }
    }
}
