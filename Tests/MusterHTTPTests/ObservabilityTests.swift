import AsyncHTTPClient
import InMemoryTracing
import Metrics
import MetricsTestKit
import MusterBalancing
import MusterHTTP
import NIOHTTP1
import Testing
import Tracing

/// What calls leave behind in metrics and traces.
@Suite(.timeLimit(.minutes(1)))
struct ObservabilityTests {
    @Test func everyAttemptHasASpanBelowTheCallsAndCarriesItsContext() async throws {
        let tracer = InMemoryTracer(idGenerator: .incrementing)
        let refusing = ScriptedInstance(.answer(503))
        let good = ScriptedInstance(.answer(200))
        let endpoints = [try await refusing.start(), try await good.start()]
        try await withClient { configuration in
            configuration.tracing.tracer = tracer
        } _: { client in
            var options = HTTPCallOptions()
            options.pick.preferring = endpoints[0]
            _ = try await client.collect(
                HTTPClientRequest(url: "http://payments/v1"),
                upTo: 10,
                using: balancer(endpoints),
                options: options
            )
        }
        let spans = tracer.finishedSpans
        let call = try #require(spans.first { $0.operationName == "GET payments" })
        let attempts = spans.filter { $0.operationName == "GET" }
        #expect(attempts.count == 2)
        #expect(attempts.allSatisfy { $0.parentSpanID == call.spanID })
        #expect(call.events.map(\.name) == ["retry"])
        let ids = [refusing, good].map { $0.heads.first?.headers["in-memory-span-id"].first }
        #expect(Set(ids.compactMap(\.self)) == Set(attempts.map(\.spanID)))
        try await refusing.stop()
        try await good.stop()
    }

    @Test func callsAreCountedByHowTheyEnded() async throws {
        let factory = TestMetrics()
        let instance = ScriptedInstance { head in .answer(head.uri == "/bad" ? 503 : 200) }
        let endpoint = try await instance.start()
        try await withDeadEndpoint { dead in
            try await withClient { client in
                var options = HTTPCallOptions()
                options.metrics = HTTPCallMetrics(service: "payments", factory: factory)
                options.pick.preferring = dead
                let call = { (url: String, endpoints: [ServiceEndpoint]) in
                    // Some of these fail, and are counted so.
                    _ = try? await client.collect(
                        HTTPClientRequest(url: url),
                        upTo: 10,
                        using: balancer(endpoints),
                        options: options
                    )
                }
                await call("http://payments/", [endpoint])
                await call("http://payments/bad", [endpoint])
                await call("http://payments/", [dead, endpoint])
                await call("http://payments/", [dead])
                await call("http://payments/", [])
            }
        }
        func total(_ result: String) -> Int64 {
            factory.counterTotal(
                label: "muster_http_calls",
                dimensions: [("service", "payments"), ("result", result)]
            )
        }
        #expect(total("success") == 2)
        #expect(total("server_error") == 1)
        #expect(total("failure") == 1)
        #expect(total("no_instance") == 1)
        #expect(factory.counterTotal(label: "muster_http_attempts") == 5)
        #expect(factory.counterTotal(label: "muster_http_retries") == 1)
        try await instance.stop()
    }
}
