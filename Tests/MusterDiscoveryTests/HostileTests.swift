import MusterAPI
import MusterBalancing
import MusterTesting
import Testing

@testable import MusterDiscovery

/// Registries that are absent, restart, lie, are slow or refuse, over real connections.
@Suite(.timeLimit(.minutes(1))) struct HostileTests {
    private let path = "/v1/health/service/web"

    // MARK: Absent and restarting

    @Test func aRegistryThatIsAbsentAtTheStartIsFoundWhenItComes() async throws {
        try await withDiscovery { registry, discovery, time in
            try await registry.stop()
            let service = discovery.service("web")
            for _ in 0..<3 {
                _ = await time.sleeper(within: .zero ... .seconds(600))
                time.advance(by: .seconds(11))
            }
            #expect(service.current == nil)
            _ = try await registry.start()
            await nextRequest(registry, time).answer(200, index: 5, entries(80))
            var snapshots = service.snapshots.makeAsyncIterator()
            #expect(ports(await snapshots.next()) == [80])
        }
    }

    @Test func aRegistryThatIsKilledAndComesBackEmptyCostsNoInstances() async throws {
        try await withDiscovery { registry, discovery, time in
            let service = discovery.service("web")
            let balancer = service.balancer()
            var snapshots = service.snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 900, entries(80, 81, 82))
            _ = await snapshots.next()
            _ = await registry.next(path)
            try await registry.crash()
            guard case .stale = await snapshots.next()?.origin else {
                Issue.record("the loss of the registry was not told")
                return
            }
            #expect(port(balancer) != nil)
            _ = try await registry.start()
            // It has forgotten everyone, counts from the beginning, and hears of them bit by bit.
            await nextRequest(registry, time).answer(200, index: 1, "[]")
            #expect(ports(await snapshots.next()) == [80, 81, 82])
            await nextRequest(registry, time).answer(200, index: 2, entries(82))
            #expect(ports(await snapshots.next()) == [81, 82])
            await nextRequest(registry, time).answer(200, index: 3, entries(80, 81, 82))
            let live = await snapshots.next()
            #expect(ports(live) == [80, 81, 82])
            #expect(live?.origin == .live)
        }
    }

    // MARK: Lying

    @Test(arguments: ["", "0", "-5", "abc", "18446744073709551616", "1.5"])
    func anIndexThatIsNoneNeverMakesTheWatchSpin(index: String) async throws {
        // go-zero: index 0 made its watcher ask without a pause.
        try await withDiscovery { registry, discovery, time in
            let service = discovery.service("web")
            var moments: [ContinuousClock.Instant] = []
            for _ in 0..<6 {
                let request = await nextRequest(registry, time)
                moments.append(time.now)
                var reply = ScriptedReply(200, entries(80))
                reply.headers = [("X-Consul-Index", index)]
                request.answer(reply)
            }
            #expect(ports(service.current) == [80])
            let gaps = zip(moments, moments.dropFirst()).map { $0.duration(to: $1) }
            #expect(gaps.allSatisfy { $0 >= .seconds(1) })
        }
    }

    @Test func anInstanceThatIsListedTwiceCountsOnce() async throws {
        try await withDiscovery { registry, discovery, _ in
            async let snapshot = discovery.instances("web")
            await registry.next(path).answer(200, index: 5, entries(80, 81, 80))
            let found = try await snapshot
            #expect(ports(found) == [80, 81])
        }
    }

    @Test(arguments: [
        "", "null!", "[", "{}", "42", "[1]", "[{\"Node\":5}]", "[{\"Service\":{\"Port\":\"x\"}}]",
        "<html>It works!</html>", "\u{0}", "[{\"Service\":{\"ID\":\"\\ud800\"",
    ])
    func anAnswerThatIsNoneLeavesTheListAlone(body: String) async throws {
        try await withDiscovery { registry, discovery, time in
            var snapshots = discovery.service("web").snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 5, entries(80))
            _ = await snapshots.next()
            await registry.next(path).answer(200, index: 6, body)
            let next = await snapshots.next()
            #expect(ports(next) == [80])
            #expect(next?.origin == .stale(since: time.now))
            await nextRequest(registry, time).answer(200, index: 7, entries(80))
            let live = await snapshots.next()
            #expect(live?.origin == .live)
        }
    }

    @Test(arguments: [0, 1, 100])
    func halfAnAnswerLeavesTheListAlone(bytes: Int) async throws {
        try await withDiscovery { registry, discovery, time in
            var snapshots = discovery.service("web").snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 5, entries(80))
            _ = await snapshots.next()
            let whole = ScriptedReply(200, index: 6, entries(81, 82))
            await registry.next(path).answer(whole.cutOff(after: bytes))
            let next = await snapshots.next()
            #expect(ports(next) == [80])
            #expect(next?.origin == .stale(since: time.now))
        }
    }

    @Test func anAnswerBeyondTheLimitLeavesTheListAlone() async throws {
        try await withDiscovery(client: { $0.maximumResponseBytes = 4096 }) {
            registry,
            discovery,
            time in
            let service = discovery.service("web")
            var snapshots = service.snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 5, entries(80))
            _ = await snapshots.next()
            let huge = "[" + String(repeating: " ", count: 10_000) + "]"
            await registry.next(path).answer(200, index: 6, huge)
            #expect(ports(await snapshots.next()) == [80])
            #expect((service.feed.lastError as? MusterError)?.code == .tooLarge)
        }
    }

    // MARK: Slow and limiting

    @Test func anAnswerThatComesByteByByteIsRead() async throws {
        try await withDiscovery { registry, discovery, _ in
            async let snapshot = discovery.instances("web")
            let text = Array(entries(80).utf8)
            let body = await registry.next(path).begin(
                headers: [("X-Consul-Index", "5")],
                length: text.count
            )
            for byte in text { body.send([byte]) }
            body.end()
            let found = try await snapshot
            #expect(ports(found) == [80])
        }
    }

    @Test func aRegistryThatLimitsIsAskedAgainLaterWithTheSameIndex() async throws {
        try await withDiscovery { registry, discovery, time in
            var snapshots = discovery.service("web").snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 5, entries(80))
            _ = await snapshots.next()
            var moments: [ContinuousClock.Instant] = []
            for _ in 0..<8 {
                let request = await nextRequest(registry, time)
                #expect(request.parameter("index") == "5")
                moments.append(time.now)
                request.answer(.tooMany)
            }
            let gaps = zip(moments, moments.dropFirst()).map { $0.duration(to: $1) }
            #expect(gaps.dropFirst().allSatisfy { $0 > .zero })
            await nextRequest(registry, time).answer(200, index: 6, entries(81))
            while let next = await snapshots.next(), next.origin != .live {}
            #expect(ports(discovery.service("web").current) == [81])
        }
    }

    // MARK: Odd instances

    @Test func addressesOfEveryKindAreUsedAndThoseWithoutOneLeftOut() async throws {
        func entry(_ id: String, _ service: String, node: String = "10.0.0.1") -> String {
            """
            {"Node":{"Node":"n1","Address":"\(node)"},"Service":{"ID":"\(id)",\(service)}}
            """
        }
        let body = [
            entry("a", #""Address":"10.1.2.3","Port":80"#),
            entry("b", #""Address":"2001:db8::1","Port":81"#),
            entry("c", #""Address":"db.example.com","Port":82"#),
            // kitex: instances without an address of their own were dropped.
            entry("d", #""Address":"","Port":83"#, node: "node.example.com"),
            entry("e", #""Address":"","Port":84"#, node: ""),
            entry("f", #""Address":"10.0.0.1","Port":70000"#),
            entry("g", #""Address":"10.0.0.1","Port":-1"#),
            entry("h", #""Address":"not a host!","Port":85"#),
            entry("i", #""Address":"10.0.0.9""#),
        ]
        let log = LogLines()
        try await withDiscovery(logger: log.logger) { registry, discovery, _ in
            async let snapshot = discovery.instances("web")
            await registry.next(path).answer(
                200,
                index: 5,
                "[" + body.joined(separator: ",") + "]"
            )
            let found = try await snapshot
            #expect(
                found.instances.map(\.endpoint.authority) == [
                    "10.1.2.3:80", "[2001:db8::1]:81", "db.example.com:82", "node.example.com:83",
                    "10.0.0.9:0",
                ]
            )
            #expect(log.count("no usable address") == 4)
        }
    }

    @Test func oddWeightsAreClampedAndZeroDrains() async throws {
        func entry(_ id: Int, _ weights: String) -> String {
            """
            {"Node":{"Node":"n1","Address":"10.0.0.1"},
            "Service":{"ID":"\(id)","Port":\(id),"Weights":\(weights)}}
            """
        }
        let body = [
            entry(1, #"{"Passing":0,"Warning":0}"#), entry(2, #"{"Passing":-7}"#),
            entry(3, #"{"Passing":99999999999}"#), entry(4, "null"), entry(5, "{}"),
        ]
        try await withDiscovery { registry, discovery, _ in
            let service = discovery.service("web")
            let balancer = service.balancer()
            await registry.next(path).answer(
                200,
                index: 5,
                "[" + body.joined(separator: ",") + "]"
            )
            let found = try await service.firstSnapshot()
            #expect(found.instances.map(\.weight) == [0, 0, .max, 1, 1])
            for _ in 0..<20 { #expect([3, 4, 5].contains(port(balancer))) }
        }
    }

    // MARK: Time

    @Test func afterAnHourOfSuspensionTheWatchGoesOn() async throws {
        try await withDiscovery { registry, discovery, time in
            let service = discovery.service("web")
            var snapshots = service.snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 5, entries(80))
            _ = await snapshots.next()
            let hanging = await registry.next(path)
            time.advance(by: .seconds(3600))
            hanging.hangUp()
            let stale = await snapshots.next()
            #expect(stale?.origin == .stale(since: time.now))
            #expect(stale?.age(at: time.now) == .seconds(3600))
            await nextRequest(registry, time).answer(200, index: 9, entries(80, 81))
            #expect(ports(await snapshots.next()) == [80, 81])
        }
    }

    @Test func ofManyThatStartTogetherTenAskAtOnceAndTheRestWithinASecond() async throws {
        try await withDiscovery { registry, discovery, time in
            registry.answer("/v1/health/service/") { request in
                request.parameter("index") == nil
                    ? ScriptedReply(200, index: 5, entries(80)) : .silence
            }
            let services = (0..<100).map { discovery.service(ServiceQuery("s\($0)")) }
            while services.count(where: { $0.current != nil }) < 10 { await Task.yield() }
            // The others sleep until the test moves the time.
            #expect(services.count { $0.current != nil } == 10)
            while services.contains(where: { $0.current == nil }) {
                time.advanceToSleeper(within: .seconds(1))
                await Task.yield()
            }
            #expect(time.now <= time.start + .seconds(1))
        }
    }

    @Test func theDelaysOfACrowdAreSpreadOverASecondAndTheNextOneIsPromptAgain() {
        var spread = StartSpread(seed: 1)
        let start = ContinuousClock.now
        let delays = (0..<1000).map { _ in spread.delay(at: start) }
        #expect(delays.prefix(10).allSatisfy { $0 == .zero })
        #expect(delays.dropFirst(10).allSatisfy { $0 > .zero && $0 < .seconds(1) })
        for tenth in 0..<10 {
            let range =
                Duration.milliseconds(tenth * 100)..<Duration.milliseconds(tenth * 100 + 100)
            #expect((50...160).contains(delays.count { range.contains($0) }))
        }
        #expect(spread.delay(at: start + .seconds(1)) == .zero)
    }

    // MARK: Cancellation

    @Test func aLookupThatIsCancelledEndsAtOnceAndTheWatchGoesOn() async throws {
        try await withDiscovery { registry, discovery, _ in
            let service = discovery.service("web")
            let lookup = Task { try await service.firstSnapshot() }
            let request = await registry.next(path)
            lookup.cancel()
            let error = await #expect(throws: DiscoveryError.self) { _ = try await lookup.value }
            #expect(error?.code == .ended)
            request.answer(200, index: 5, entries(80))
            let found = try await service.firstSnapshot()
            #expect(ports(found) == [80])
        }
    }

    /// Where the watch of a discovery stands when the discovery is cancelled.
    enum Place: CaseIterable {
        case beforeTheFirstQuery, duringTheFirst, whileBlocked, duringTheBody, duringBackoff
        case afterTheBucket, beforeTheDisk
    }

    @Test(arguments: Place.allCases)
    func cancellationEndsTheRunWhereverItStands(place: Place) async throws {
        try await withTemporaryDirectory { directory in
            let registry = ScriptedRegistry()
            let port = try await registry.start()
            let time = ManualClock()
            let address = RegistryAddress.http(host: "127.0.0.1", port: port)
            try await MusterClient.withClient(ClientConfiguration(address: address)) { client in
                var configuration = Discovery.Configuration()
                configuration.clock = time.source
                if place == .beforeTheDisk { configuration.snapshotDirectory = directory }
                let discovery = Discovery(
                    client: client,
                    configuration: configuration,
                    logger: silent
                )
                let running = Task { try await discovery.run() }
                let service = discovery.service("web")
                var open: ScriptedRequest?
                if place != .beforeTheFirstQuery { open = await registry.next(path) }
                switch place {
                case .beforeTheFirstQuery, .duringTheFirst: break
                case .whileBlocked:
                    open?.answer(200, index: 5, entries(80))
                    open = await registry.next(path)
                case .duringTheBody:
                    open?.begin(headers: [("X-Consul-Index", "5")], length: 100).send("[")
                case .duringBackoff:
                    open?.answer(500)
                    _ = await time.sleeper(within: .zero ... .milliseconds(500))
                    open = nil
                case .afterTheBucket:
                    open?.answer(200, index: 5, entries(80))
                    await registry.next(path).answer(200, index: 6, entries(81))
                    _ = await time.sleeper(within: .seconds(1) ... .seconds(1))
                    open = nil
                case .beforeTheDisk: _ = await time.sleeper(within: .seconds(1) ... .seconds(1))
                }
                running.cancel()
                _ = await running.result
                await open?.closed()
                var snapshots = service.snapshots.makeAsyncIterator()
                while await snapshots.next() != nil {}
            }
            try await registry.stop()
        }
    }
}
