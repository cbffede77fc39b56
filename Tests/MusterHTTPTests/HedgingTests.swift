import AsyncHTTPClient
import MusterBalancing
import MusterHTTP
import MusterTesting
import NIOCore
import NIOHTTP1
import Testing

/// Calls that are sent to a second instance when the first is slow.
@Suite(.timeLimit(.minutes(1)))
struct HedgingTests {
    @Test func aSlowCallIsSentToASecondInstanceWhoseAnswerWins() async throws {
        let slow = ScriptedInstance(.silence)
        let good = ScriptedInstance(.answer(200, "quick"))
        let endpoints = [try await slow.start(), try await good.start()]
        try await withClient { client in
            let time = ManualClock()
            let outcomes = Outcomes()
            let balancer = balancer(endpoints) { $0.recorder = outcomes }
            var options = HTTPCallOptions()
            options.clock = time.source
            options.hedging = HTTPHedging(HedgingPolicy(delay: .fixed(.seconds(3))))
            options.pick.preferring = endpoints[0]
            async let answer = client.execute(
                HTTPClientRequest(url: "http://payments/"),
                using: balancer,
                timeout: .seconds(600),
                options: options
            )
            var arrivals = slow.arrivals.makeAsyncIterator()
            await arrivals.next()
            #expect(await time.sleeper(within: .seconds(3)...(.seconds(3))) == .seconds(3))
            #expect(good.heads.isEmpty)
            time.advance(by: .seconds(3))
            let response = try await answer
            let body = try await response.body.collect(upTo: 100)
            #expect(String(buffer: body) == "quick")
            // The loser's connection is closed; of it nothing is held against the instance.
            var closings = slow.closings.makeAsyncIterator()
            await closings.next()
            #expect(outcomes.all.sorted { "\($0)" < "\($1)" } == [.cancelled, .success])
        }
        try await slow.stop()
        try await good.stop()
    }

    @Test func aPostIsNotHedged() async throws {
        let first = ScriptedInstance(.hangUp)
        let second = ScriptedInstance(.answer(200))
        let endpoints = [try await first.start(), try await second.start()]
        try await withClient { client in
            var options = HTTPCallOptions()
            options.hedging = HTTPHedging(HedgingPolicy(delay: .fixed(.zero)))
            options.pick.preferring = endpoints[0]
            var request = HTTPClientRequest(url: "http://payments/")
            request.method = .POST
            await #expect(throws: HTTPCallError.self) {
                try await client.execute(request, using: balancer(endpoints), options: options)
            }
            #expect(second.heads.isEmpty)
        }
        try await first.stop()
        try await second.stop()
    }

    @Test func aFailureBringsTheNextAttemptForward() async throws {
        let broken = ScriptedInstance(.hangUp)
        let good = ScriptedInstance(.answer(200))
        let endpoints = [try await broken.start(), try await good.start()]
        try await withClient { client in
            var options = HTTPCallOptions()
            options.hedging = HTTPHedging(HedgingPolicy(delay: .fixed(.seconds(600))))
            options.pick.preferring = endpoints[0]
            let response = try await client.collect(
                HTTPClientRequest(url: "http://payments/"),
                upTo: 10,
                using: balancer(endpoints),
                options: options
            )
            #expect(response.endpoint == endpoints[1])
        }
        try await broken.stop()
        try await good.stop()
    }
}
