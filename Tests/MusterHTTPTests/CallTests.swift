import AsyncHTTPClient
import MusterBalancing
import MusterHTTP
import MusterTesting
import NIOCore
import NIOHTTP1
import Testing

/// Calls by service name, over real connections.
@Suite(.timeLimit(.minutes(1)))
struct CallTests {
    @Test func theURLsAuthorityIsReplacedAndTheHostHeaderKeepsIt() async throws {
        let instance = ScriptedInstance(.answer(200, "hello"))
        let endpoint = try await instance.start()
        try await withClient { client in
            let balancer = balancer([endpoint])
            let response = try await client.execute(
                HTTPClientRequest(url: "http://payments:81/v1/charges?all=1"),
                using: balancer
            )
            #expect(response.status == .ok)
            let body = try await response.body.collect(upTo: 100)
            #expect(String(buffer: body) == "hello")
            #expect(instance.heads.first?.uri == "/v1/charges?all=1")
            #expect(instance.heads.first?.headers["Host"] == ["payments:81"])
        }
        try await instance.stop()
    }

    @Test func theHostHeaderCanBeTheInstancesOrSomethingElse() async throws {
        let instance = ScriptedInstance(.answer(200))
        let endpoint = try await instance.start()
        try await withClient { client in
            let balancer = balancer([endpoint])
            var request = HTTPClientRequest(url: "http://payments/")
            var options = HTTPCallOptions()
            for host in [HTTPCallOptions.Host.instance, .fixed("front.example")] {
                options.host = host
                _ = try await client.collect(request, upTo: 0, using: balancer, options: options)
            }
            request.headers.add(name: "host", value: "mine")
            _ = try await client.collect(request, upTo: 0, using: balancer, options: options)
            #expect(
                instance.heads.map { $0.headers["Host"] }
                    == [[endpoint.authority], ["front.example"], ["mine"]]
            )
        }
        try await instance.stop()
    }

    @Test(arguments: ["payments/v1", "ftp://payments/", "http:///v1", "unix://x", ""])
    func aURLThatNamesNoServiceIsRefused(url: String) async throws {
        try await withClient { client in
            let error = await #expect(throws: HTTPCallError.self) {
                try await client.execute(HTTPClientRequest(url: url), using: balancer([]))
            }
            #expect(error?.code == .invalidRequest)
            #expect(error?.description.contains(url) == true)
        }
    }

    @Test func aServiceWithoutInstancesIsAnErrorThatNamesIt() async throws {
        try await withClient { client in
            let error = await #expect(throws: HTTPCallError.self) {
                try await client.execute(
                    HTTPClientRequest(url: "http://payments/"),
                    using: balancer([])
                )
            }
            #expect(error?.code == .noInstance)
            #expect(error?.service == "payments")
        }
    }

    @Test func aDeadInstanceIsPassedOverEvenForAPostWithAStream() async throws {
        let alive = ScriptedInstance(.answer(201))
        let endpoint = try await alive.start()
        try await withDeadEndpoint { dead in
            try await withClient { client in
                let balancer = balancer([dead, endpoint])
                for _ in 0..<4 {
                    var request = HTTPClientRequest(url: "http://payments/")
                    request.method = .POST
                    request.body = .stream(
                        AsyncStream<ByteBuffer> { stream in
                            stream.yield(ByteBuffer(string: "money"))
                            stream.finish()
                        },
                        length: .known(Int64(5))
                    )
                    let response = try await client.collect(request, upTo: 10, using: balancer)
                    #expect(response.status == .created)
                    #expect(response.endpoint == endpoint)
                }
                #expect(alive.bodies == ["money", "money", "money", "money"])
            }
        }
        try await alive.stop()
    }

    @Test func onlyDeadInstancesGiveAnErrorThatListsThem() async throws {
        try await withDeadEndpoint { first in
            try await withDeadEndpoint { second in
                try await withClient { client in
                    let error = await #expect(throws: HTTPCallError.self) {
                        try await client.execute(
                            HTTPClientRequest(url: "http://payments/"),
                            using: balancer([first, second])
                        )
                    }
                    #expect(error?.code == .unreachable)
                    // Each once: there is no third instance for the third attempt.
                    #expect(Set(error?.attempts.map(\.endpoint) ?? []) == [first, second])
                    #expect(error?.attempts.count == 2)
                }
            }
        }
    }

    @Test func aRequestThatMayHaveBeenActedOnIsOnlyRepeatedWhenThatDoesNoHarm() async throws {
        let broken = ScriptedInstance(.hangUp)
        let good = ScriptedInstance(.answer(200))
        let endpoints = [try await broken.start(), try await good.start()]
        try await withClient { client in
            var request = HTTPClientRequest(url: "http://payments/")
            request.method = .POST
            request.body = .bytes(ByteBuffer(string: "money"))
            let call = { (request: HTTPClientRequest) in
                // Prefers the broken one, so that the first attempt is always its.
                var options = HTTPCallOptions()
                options.pick.preferring = endpoints[0]
                return try await client.collect(
                    request,
                    upTo: 10,
                    using: balancer(endpoints),
                    options: options
                )
            }
            await #expect(throws: HTTPCallError.self) { _ = try await call(request) }
            #expect(good.heads.isEmpty)
            request.headers.add(name: "Idempotency-Key", value: "1")
            let answer = try await call(request)
            #expect(answer.endpoint == endpoints[1])
            #expect(good.bodies == ["money"])
            // A stream cannot be sent twice, whatever the method.
            request.body = .stream(
                AsyncStream<ByteBuffer> { stream in
                    stream.yield(ByteBuffer(string: "money"))
                    stream.finish()
                },
                length: .known(Int64(5))
            )
            await #expect(throws: HTTPCallError.self) { _ = try await call(request) }
            #expect(good.heads.count == 1)
        }
        try await broken.stop()
        try await good.stop()
    }

    @Test(arguments: [ScriptedInstance.Treatment.halfAnswer, .resetWithinBody])
    func aBodyThatBreaksOffIsFetchedFromAnotherInstance(
        treatment: ScriptedInstance.Treatment
    ) async throws {
        let broken = ScriptedInstance(treatment)
        let good = ScriptedInstance(.answer(200, "whole"))
        let endpoints = [try await broken.start(), try await good.start()]
        try await withClient { client in
            let outcomes = Outcomes()
            let balancer = balancer(endpoints) { $0.recorder = outcomes }
            var options = HTTPCallOptions()
            options.pick.preferring = endpoints[0]
            let response = try await client.collect(
                HTTPClientRequest(url: "http://payments/"),
                upTo: 100,
                using: balancer,
                options: options
            )
            #expect(String(buffer: response.body) == "whole")
            #expect(outcomes.all == [.failure, .success])
            // As a stream it is the reader's to notice, and counts against the instance as well.
            let stream = try await client.execute(
                HTTPClientRequest(url: "http://payments/"),
                using: balancer,
                options: options
            )
            await #expect(throws: (any Error).self) {
                _ = try await stream.body.collect(upTo: 100)
            }
            #expect(outcomes.all == [.failure, .success, .failure])
        }
        try await broken.stop()
        try await good.stop()
    }

    @Test func aSlowInstanceIsLeftForAnotherOneAfterTheAttemptsTime() async throws {
        let slow = ScriptedInstance(.silence)
        let good = ScriptedInstance(.answer(200))
        let endpoints = [try await slow.start(), try await good.start()]
        try await withClient { client in
            let time = ManualClock()
            var options = HTTPCallOptions()
            options.clock = time.source
            options.attemptTimeout = .seconds(60)
            options.pick.preferring = endpoints[0]
            async let answer = client.collect(
                HTTPClientRequest(url: "http://payments/"),
                upTo: 10,
                using: balancer(endpoints),
                timeout: .seconds(100),
                options: options
            )
            var arrivals = slow.arrivals.makeAsyncIterator()
            await arrivals.next()
            _ = await time.sleeper(within: .seconds(60)...(.seconds(60)))
            #expect(good.heads.isEmpty)
            time.advance(by: .seconds(60))
            let response = try await answer
            #expect(response.endpoint == endpoints[1])
        }
        try await slow.stop()
        try await good.stop()
    }

    @Test func theTimeCoversAllAttempts() async throws {
        let slow = [ScriptedInstance(.silence), ScriptedInstance(.silence)]
        let endpoints = [try await slow[0].start(), try await slow[1].start()]
        try await withClient { client in
            let time = ManualClock()
            var options = HTTPCallOptions()
            options.clock = time.source
            options.attemptTimeout = .seconds(60)
            let call = Task { [options] in
                try await client.collect(
                    HTTPClientRequest(url: "http://payments/"),
                    upTo: 10,
                    using: balancer(endpoints),
                    timeout: .seconds(100),
                    options: options
                )
            }
            _ = await time.sleeper(within: .seconds(60)...(.seconds(60)))
            time.advance(by: .seconds(60))
            // The second attempt has what is left.
            _ = await time.sleeper(within: .seconds(100)...(.seconds(100)))
            time.advance(by: .seconds(40))
            let error = await #expect(throws: HTTPCallError.self) { try await call.value }
            #expect(error?.code == .timeout)
            #expect(error?.attempts.count == 2)
        }
        for instance in slow { try await instance.stop() }
    }

    @Test func aCallWithoutTimeIsNotSentAndSaysNothingOfTheInstance() async throws {
        let instance = ScriptedInstance(.answer(200))
        let endpoint = try await instance.start()
        try await withClient { client in
            let outcomes = Outcomes()
            let error = await #expect(throws: HTTPCallError.self) {
                try await client.execute(
                    HTTPClientRequest(url: "http://payments/"),
                    using: balancer([endpoint]) { $0.recorder = outcomes },
                    timeout: .zero
                )
            }
            #expect(error?.code == .timeout)
            #expect(outcomes.all == [.cancelled])
            #expect(instance.heads.isEmpty)
        }
        try await instance.stop()
    }

    @Test func aClientsErrorIsAnAnswerAndSpeaksForTheInstance() async throws {
        let instance = ScriptedInstance(.answer(404))
        let endpoint = try await instance.start()
        try await withClient { client in
            let outcomes = Outcomes()
            let balancer = balancer([endpoint]) { $0.recorder = outcomes }
            let response = try await client.collect(
                HTTPClientRequest(url: "http://payments/"),
                upTo: 10,
                using: balancer
            )
            #expect(response.status == .notFound)
            #expect(outcomes.all == [.success])
            #expect(instance.heads.count == 1)
        }
        try await instance.stop()
    }

    @Test func aBodyThatIsTooLargeIsTheCallersErrorAndNotRepeated() async throws {
        let instances = [ScriptedInstance(.answer(200, "12345")), .init(.answer(200, "12345"))]
        let endpoints = [try await instances[0].start(), try await instances[1].start()]
        try await withClient { client in
            let outcomes = Outcomes()
            let error = await #expect(throws: HTTPCallError.self) {
                try await client.collect(
                    HTTPClientRequest(url: "http://payments/"),
                    upTo: 4,
                    using: balancer(endpoints) { $0.recorder = outcomes }
                )
            }
            #expect(error?.code == .tooLarge)
            #expect(outcomes.all == [.cancelled])
        }
        for instance in instances { try await instance.stop() }
    }
}
