public import AsyncHTTPClient
import MusterAPI
public import MusterBalancing
import MusterDiscovery
public import NIOCore
public import NIOHTTP1
public import NIOSSL
import Tracing

extension HTTPClient {
    /// Sends a request to an instance of a service and returns the answer as soon as its head is
    /// there.
    ///
    /// The authority of the request's URL is replaced by that of an instance; the `Host` header
    /// keeps it. A call that fails goes to another instance as far as that is safe and the
    /// balancer's retry budget allows. Statuses from 500 on and failures to connect count against
    /// the instance, other statuses for it. The call is in flight until the body has been read or
    /// is dropped.
    ///
    /// With a client that follows redirects, a redirect to the service's name leaves the registry;
    /// clients made with ``AsyncHTTPClient/HTTPClient/Configuration/services(tls:)`` do not follow
    /// any.
    ///
    /// For `https` the client verifies the certificate against what it connects to: instances
    /// registered with an address need it among the certificate's IP names, those registered with a
    /// host name need that one.
    ///
    /// - Parameters:
    ///   - request: What to send: `http://payments/v1/charges`.
    ///   - balancer: Chooses the instance.
    ///   - timeout: How long the answer's head may take, all attempts included; the body is limited
    ///     by the client's read timeout.
    ///   - retry: When another instance is tried.
    ///   - options: How the call is made beyond that.
    /// - Returns: The answer, whatever its status.
    /// - Throws: ``HTTPCallError``, or `CancellationError` when the task is cancelled, which closes
    ///   the connection at once.
    public func execute(
        _ request: HTTPClientRequest,
        using balancer: Balancer,
        timeout: Duration = .seconds(10),
        retry: HTTPRetryPolicy = .nextInstance(),
        options: HTTPCallOptions = HTTPCallOptions()
    ) async throws -> HTTPClientResponse {
        try await call(request, balancer, timeout, retry, options, collects: nil).response
    }

    /// Sends a request to an instance of a service and returns the whole answer.
    ///
    /// As ``execute(_:using:timeout:retry:options:)``, but the body belongs to the attempt: one
    /// that breaks off makes a safe call go to another instance, and the time covers it.
    ///
    /// - Parameters:
    ///   - request: What to send: `http://payments/v1/charges`.
    ///   - maximumBytes: The largest body accepted.
    ///   - balancer: Chooses the instance.
    ///   - timeout: How long the answer may take, all attempts included.
    ///   - retry: When another instance is tried.
    ///   - options: How the call is made beyond that.
    /// - Returns: The answer, whatever its status.
    /// - Throws: ``HTTPCallError``, or `CancellationError` when the task is cancelled.
    public func collect(
        _ request: HTTPClientRequest,
        upTo maximumBytes: Int,
        using balancer: Balancer,
        timeout: Duration = .seconds(10),
        retry: HTTPRetryPolicy = .nextInstance(),
        options: HTTPCallOptions = HTTPCallOptions()
    ) async throws -> CollectedResponse {
        let answer = try await call(
            request,
            balancer,
            timeout,
            retry,
            options,
            collects: max(0, maximumBytes)
        )
        return CollectedResponse(
            status: answer.response.status,
            headers: answer.response.headers,
            body: answer.body,
            endpoint: answer.call.endpoint
        )
    }

    private func call(
        _ request: HTTPClientRequest,
        _ balancer: Balancer,
        _ timeout: Duration,
        _ retry: HTTPRetryPolicy,
        _ options: HTTPCallOptions,
        collects: Int?
    ) async throws -> ServiceCall.Answer {
        let target = try ServiceTarget(request.url)
        let started = options.clock.now()
        let run = { @Sendable (span: (any Span)?) in
            try await ServiceCall(
                client: self,
                request: request,
                target: target,
                balancer: balancer,
                retry: retry,
                options: options,
                started: started,
                timeout: timeout,
                collects: collects,
                span: span
            ).run()
        }
        do {
            let answer = try await traced(request, target, run)
            let isError = answer.response.status.code >= 500
            options.metrics.record(
                isError ? .serverError : .success,
                started.duration(to: options.clock.now())
            )
            return answer
        } catch {
            options.metrics.record(
                Self.result(of: error),
                started.duration(to: options.clock.now())
            )
            throw error
        }
    }

    /// A span around all attempts; the client itself makes one for each and injects its context.
    private func traced(
        _ request: HTTPClientRequest,
        _ target: ServiceTarget,
        _ run: @Sendable ((any Span)?) async throws -> ServiceCall.Answer
    ) async throws -> ServiceCall.Answer {
        guard let tracer, !(tracer is NoOpTracer) else { return try await run(nil) }
        let name = "\(request.method.rawValue) \(target.service)"
        return try await tracer.withSpan(name, ofKind: .internal) { span in
            span.attributes["peer.service"] = target.service
            let answer = try await run(span)
            span.attributes["http.response.status_code"] = Int(answer.response.status.code)
            return answer
        }
    }

    private static func result(of error: any Error) -> HTTPCallMetrics.Result {
        guard let error = error as? HTTPCallError else { return .cancelled }
        switch error.code {
        case .noInstance: return .noInstance
        case .timeout: return .timeout
        default: return .failure
        }
    }
}

/// A whole answer of a service.
public struct CollectedResponse: Sendable {
    /// The status.
    public var status: HTTPResponseStatus

    /// The headers.
    public var headers: HTTPHeaders

    /// The body.
    public var body: ByteBuffer

    /// The instance that answered.
    public var endpoint: ServiceEndpoint
}

extension HTTPClient.Configuration {
    /// What a client for calls between services should be made with.
    ///
    /// Connecting takes at most half a second and is not tried again inside the client: a dead
    /// instance is noticed at once and another one is tried, where the default would try the same
    /// one for ten seconds. Redirects are not followed, instances that fall silent within an answer
    /// are given up after 30 seconds, and each instance gets up to 64 connections.
    ///
    /// - Parameter tls: What `https` needs beyond the system's roots: private authorities, a client
    ///   certificate, or a verification without names for certificates that have no addresses.
    /// - Returns: The configuration, to be changed at will.
    public static func services(tls: TLSConfiguration? = nil) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls,
            redirectConfiguration: .disallow
        )
        configuration.timeout.connect = TimeAmount(Limits.connectTimeout)
        configuration.timeout.read = TimeAmount(Limits.readTimeout)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
            Limits.connectionsPerInstance
        return configuration
    }
}
