import InMemoryTracing
import MusterAPI
import MusterTesting
import Testing
import Tracing

@Suite(.timeLimit(.minutes(3))) struct TracingTests {
    private func withTraced(
        _ body: (ScriptedRegistry, Int, MusterClient, InMemoryTracer) async throws -> Void
    ) async throws {
        let registry = ScriptedRegistry()
        let port = try await registry.start()
        let tracer = InMemoryTracer()
        var configuration = ClientConfiguration(address: .http(host: "127.0.0.1", port: port))
        configuration.retries = RequestRetries(firstWait: .zero)
        let client = try MusterClient(
            configuration: configuration,
            clock: .system,
            tracer: tracer
        )
        try await body(registry, port, client, tracer)
        try await client.shutdown()
        try await registry.stop()
    }

    @Test func aCallIsOneSpanWithItsServerAndStatusHoweverOftenItIsSent() async throws {
        try await withTraced { registry, port, client, tracer in
            let nodes = Task { try await client.health.service("web") }
            await registry.next("/v1/health/service/web").answer(500)
            await registry.next("/v1/health/service/web").answer(200, index: 1, "[]")
            _ = try await nodes.value
            #expect(tracer.activeSpans.isEmpty)
            let span = try #require(tracer.finishedSpans.first)
            #expect(tracer.finishedSpans.count == 1)
            #expect(span.operationName == "GET /v1/health/service")
            #expect(span.kind == .client)
            #expect(span.attributes.get("server.address") == .string("127.0.0.1"))
            #expect(span.attributes.get("server.port") == .int64(Int64(port)))
            #expect(span.attributes.get("http.response.status_code") == .int64(200))
            #expect(span.attributes.get("http.request.resend_count") == .int64(1))
            #expect(span.status == nil)
        }
    }

    @Test func aKeyIsNoPartOfTheSpansName() async throws {
        try await withTraced { registry, _, client, tracer in
            registry.answer("/v1/kv/") { _ in ScriptedReply(200, "true") }
            try await client.keyValue.put("secret/key", [1])
            #expect(tracer.finishedSpans.first?.operationName == "PUT /v1/kv")
        }
    }

    @Test func aFailureIsInItsSpan() async throws {
        try await withTraced { registry, _, client, tracer in
            registry.answer("/v1/agent/reload") { _ in ScriptedReply(403, "no") }
            await #expect(throws: MusterError.self) { try await client.agent.reload() }
            try await registry.stop()
            await #expect(throws: MusterError.self) { _ = try await client.status.leader() }
            let spans = tracer.finishedSpans
            #expect(spans.count == 2)
            #expect(spans.allSatisfy { $0.status?.code == .error })
            #expect(spans.first?.attributes.get("error.type") == .string("403"))
            #expect(tracer.activeSpans.isEmpty)
        }
    }

    @Test func aCancelledCallEndsItsSpan() async throws {
        try await withTraced { registry, _, client, tracer in
            let leader = Task { try await client.status.leader() }
            _ = await registry.next("/v1/status/leader")
            leader.cancel()
            await #expect(throws: CancellationError.self) { _ = try await leader.value }
            #expect(tracer.activeSpans.isEmpty)
            let span = try #require(tracer.finishedSpans.first)
            #expect(span.attributes.get("error.type") == .string("cancelled"))
            #expect(span.status == nil)
        }
    }
}
