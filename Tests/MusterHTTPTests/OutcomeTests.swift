import AsyncHTTPClient
import MusterBalancing
import MusterHTTP
import NIOCore
import NIOHTTP1
import Testing

/// What a call says of its instance, and what calls together may do.
@Suite(.timeLimit(.minutes(1)))
struct OutcomeTests {
    @Test func cancellingClosesTheConnectionAtOnceAndSaysNothingOfTheInstance() async throws {
        let instance = ScriptedInstance(.silence)
        let endpoint = try await instance.start()
        try await withClient { client in
            let outcomes = Outcomes()
            let balancer = balancer([endpoint]) { $0.recorder = outcomes }
            let call = Task {
                try await client.execute(
                    HTTPClientRequest(url: "http://payments/"),
                    using: balancer,
                    timeout: .seconds(600)
                )
            }
            var arrivals = instance.arrivals.makeAsyncIterator()
            await arrivals.next()
            call.cancel()
            await #expect(throws: CancellationError.self) { _ = try await call.value }
            var closings = instance.closings.makeAsyncIterator()
            await closings.next()
            #expect(outcomes.all == [.cancelled])
        }
        try await instance.stop()
    }

    @Test func aStreamsCallEndsWhenItIsReadOrDropped() async throws {
        let instance = ScriptedInstance(.pieces(["a", "b"]))
        let endpoint = try await instance.start()
        try await withClient { client in
            let outcomes = Outcomes()
            let balancer = balancer([endpoint]) {
                $0.recorder = outcomes
                $0.outliers = OutlierDetection()
            }
            let call = {
                try await client.execute(
                    HTTPClientRequest(url: "http://payments/"),
                    using: balancer
                )
            }
            let read = try await call()
            #expect(balancer.status.inFlight == 1)
            for try await _ in read.body { #expect(balancer.status.inFlight == 1) }
            #expect(balancer.status.inFlight == 0)
            #expect(outcomes.all == [.success])
            _ = try await call()
            #expect(balancer.status.inFlight == 0)
            #expect(outcomes.all == [.success, .success])
        }
        try await instance.stop()
    }

    @Test(arguments: [false, true])
    func aStormOfRefusalsStaysWithinTheRetryBudget(hedged: Bool) async throws {
        let instances = (0..<4).map { _ in ScriptedInstance(.answer(503)) }
        var endpoints: [ServiceEndpoint] = []
        for instance in instances { endpoints.append(try await instance.start()) }
        try await withClient { client in
            let balancer = balancer(endpoints)
            var options = HTTPCallOptions()
            if hedged { options.hedging = HTTPHedging(HedgingPolicy(delay: .fixed(.seconds(600)))) }
            let calls = 600
            let started = ContinuousClock.now
            for _ in 0..<calls {
                let response = try await client.collect(
                    HTTPClientRequest(url: "http://payments/"),
                    upTo: 10,
                    using: balancer,
                    options: options
                )
                #expect(response.status == .serviceUnavailable)
            }
            let requests = instances.map(\.heads.count).reduce(0, +)
            // A fifth of the calls and ten per second; the reserve covers a window of ten seconds.
            let seconds = Int(started.duration(to: .now).components.seconds) + 10
            #expect(requests > calls + calls / 10)
            #expect(requests <= calls + calls / 5 + 10 * seconds)
            #expect(balancer.retryBudget.refusals > 0)
        }
        for instance in instances { try await instance.stop() }
    }

    @Test func anInstanceThatOnlyFailsIsLeftOut() async throws {
        let bad = ScriptedInstance(.answer(500))
        let good = ScriptedInstance(.answer(200))
        let endpoints = [try await bad.start(), try await good.start()]
        try await withClient { client in
            let balancer = balancer(endpoints) { $0.outliers = OutlierDetection() }
            for _ in 0..<40 {
                _ = try await client.collect(
                    HTTPClientRequest(url: "http://payments/"),
                    upTo: 10,
                    using: balancer
                )
            }
            // Ejected after five failures in a row, and not asked again for 30 seconds.
            #expect(bad.heads.count == 5)
            #expect(balancer.status.ejected.map(\.serviceID) == ["100"])
        }
        try await bad.stop()
        try await good.stop()
    }
}
