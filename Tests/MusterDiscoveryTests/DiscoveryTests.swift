import MusterAPI
import MusterBalancing
import MusterDiscovery
import MusterTesting
import Testing

@Suite(.timeLimit(.minutes(3))) struct DiscoveryTests {
    private let path = "/v1/health/service/web"

    @Test func aLookupFollowsTheRegistryThroughBlockingQueries() async throws {
        try await withDiscovery { registry, discovery, _ in
            var snapshots = discovery.service("web").snapshots.makeAsyncIterator()
            let first = await registry.next(path)
            #expect(first.parameter("index") == nil)
            #expect(first.parameter("passing") == "1")
            #expect(first.parameter("stale") != nil)
            first.answer(200, index: 5, entries(80))
            #expect(ports(await snapshots.next()) == [80])
            let second = await registry.next(path)
            #expect(second.parameter("index") == "5")
            #expect(second.parameter("wait") == "60000ms")
            second.answer(200, index: 6, entries(80, 81))
            #expect(ports(await snapshots.next()) == [80, 81])
        }
    }

    @Test func anInstanceIsReadWithItsWeightZoneAndTheNodesAddress() async throws {
        try await withDiscovery { registry, discovery, _ in
            let service = discovery.service(ServiceQuery("web", minimumHealth: .warning))
            async let snapshot = service.firstSnapshot()
            let request = await registry.next(path)
            #expect(request.parameter("passing") == nil)
            request.answer(200, index: 5, entries(80, status: "warning", zone: "z"))
            let found = try await snapshot
            let instance = try #require(found.instances.first)
            #expect(instance.endpoint.authority == "10.0.0.1:80")
            #expect(instance.weight == 2)
            #expect(instance.zone == "z")
            #expect(instance.health == .warning)
            #expect(instance.datacenter == "dc1")
        }
    }

    @Test func criticalInstancesAreNeverOfferedEvenIfTheRegistryListsThem() async throws {
        try await withDiscovery { registry, discovery, _ in
            async let snapshot = discovery.instances("web")
            await registry.next(path).answer(200, index: 5, entries(80, status: "critical"))
            let found = try await snapshot
            #expect(found.instances.isEmpty)
        }
    }

    @Test func manyReadersShareOneRequest() async throws {
        try await withDiscovery { registry, discovery, _ in
            let services = (0..<50).map { _ in discovery.service("web") }
            await registry.next(path).answer(200, index: 5, entries(80))
            for service in services {
                let snapshot = try await service.firstSnapshot()
                #expect(snapshot.instances.count == 1)
            }
            _ = await registry.next(path)
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func aSlowReaderSeesTheNewestSnapshotOnly() async throws {
        try await withDiscovery { registry, discovery, time in
            let service = discovery.service("web")
            var slow = service.snapshots.makeAsyncIterator()
            var quick = service.snapshots.makeAsyncIterator()
            for port in 80..<85 {
                let request = await nextRequest(registry, time)
                request.answer(200, index: UInt64(port), entries(port))
                #expect(ports(await quick.next()) == [UInt16(port)])
            }
            #expect(ports(await slow.next()) == [84])
        }
    }

    @Test func whileTheRegistryFailsTheLastInstancesStayInUse() async throws {
        try await withDiscovery { registry, discovery, time in
            let service = discovery.service("web")
            var snapshots = service.snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 900, entries(80, 81))
            #expect(ports(await snapshots.next()) == [80, 81])
            await registry.next(path).answer(500, "broken")
            let stale = try #require(await snapshots.next())
            #expect(ports(stale) == [80, 81])
            #expect(stale.origin == .stale(since: time.now))
            for failure in 0..<3 {
                let request = await nextRequest(registry, time)
                #expect(request.parameter("index") == nil)
                if failure == 1 { request.hangUp() } else { request.answer(503) }
            }
            // Back after a restart, counting from a lower index.
            await nextRequest(registry, time).answer(200, index: 3, entries(80, 82))
            let live = try #require(await snapshots.next())
            #expect(live.origin == .live)
            #expect(ports(live) == [80, 82])
            #expect(await nextRequest(registry, time).parameter("index") == "3")
        }
    }

    @Test func garbageFromTheRegistryIsAFailureNotALossOfInstances() async throws {
        try await withDiscovery { registry, discovery, time in
            let service = discovery.service("web")
            var snapshots = service.snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 9, entries(80))
            #expect(ports(await snapshots.next()) == [80])
            await registry.next(path).answer(200, index: 10, "[{\"Node\":")
            #expect(ports(await snapshots.next()) == [80])
            for reply in [ScriptedReply(404), ScriptedReply(200, index: 11, "{}")] {
                await nextRequest(registry, time).answer(reply)
            }
            _ = await nextRequest(registry, time)
            #expect(ports(service.current) == [80])
        }
    }

    @Test func anEmptyAnswerIsHeldBackAndThenBelieved() async throws {
        try await withDiscovery({ $0.emptyHold = .seconds(20) }) { registry, discovery, time in
            let service = discovery.service("web")
            var snapshots = service.snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 5, entries(80))
            _ = await snapshots.next()
            await registry.next(path).answer(200, index: 6, "[]")
            let held = try #require(await snapshots.next())
            #expect(ports(held) == [80])
            #expect(held.origin == .protected(since: time.now))
            let waiting = await nextRequest(registry, time)
            time.advance(by: .seconds(20))
            waiting.answer(200, index: 6, "[]")
            #expect(ports(await snapshots.next()) == [])
        }
    }

    @Test func aBalancerFollowsTheSnapshotsAndKeepsTheWatchOpen() async throws {
        try await withDiscovery { registry, discovery, time in
            var snapshots = discovery.service("web").snapshots.makeAsyncIterator()
            let balancer = discovery.service("web").balancer(.roundRobin)
            #expect(throws: BalancingError(code: .noSnapshot)) { _ = try balancer.pick() }
            await registry.next(path).answer(200, index: 5, entries(80))
            _ = await snapshots.next()
            #expect(port(balancer) == 80)
            await registry.next(path).answer(200, index: 6, entries(90))
            _ = await snapshots.next()
            #expect(port(balancer) == 90)
            let late = discovery.service("web").balancer(.random)
            #expect(port(late) == 90)
        }
    }

    @Test func aWatchNobodyWantsEndsAfterItsLinger() async throws {
        try await withDiscovery { registry, discovery, time in
            let hanging: ScriptedRequest
            do {
                let service = discovery.service("web")
                await registry.next(path).answer(200, index: 5, entries(80))
                _ = try await service.firstSnapshot()
                hanging = await registry.next(path)
            }
            _ = await time.sleeper(within: .seconds(30) ... .seconds(30))
            time.advance(by: .seconds(30))
            await hanging.closed()
            // Wanted again, it starts over.
            let again = discovery.service("web")
            let fresh = await nextRequest(registry, time)
            #expect(fresh.parameter("index") == nil)
            fresh.answer(200, index: 5, entries(81))
            let snapshot = try await again.firstSnapshot()
            #expect(ports(snapshot) == [81])
        }
    }

    @Test func aLookupThatIsNotAnsweredInTimeSaysWhy() async throws {
        try await withDiscovery { registry, discovery, time in
            let lookup = Task { try await discovery.instances("web") }
            await registry.next(path).answer(500, "no leader")
            _ = await time.sleeper(within: .zero ... .milliseconds(500))
            _ = await time.sleeper(within: .seconds(5) ... .seconds(5))
            time.advance(by: .seconds(5))
            let error = await #expect(throws: DiscoveryError.self) { _ = try await lookup.value }
            #expect(error?.code == .noAnswer)
            #expect((error?.cause as? MusterError)?.body == "no leader")
        }
    }

    @Test func endingTheDiscoveryClosesConnectionsAndEndsSequences() async throws {
        let registry = ScriptedRegistry()
        let port = try await registry.start()
        let address = RegistryAddress.http(host: "127.0.0.1", port: port)
        try await MusterClient.withClient(ClientConfiguration(address: address)) { client in
            let discovery = Discovery(client: client, logger: silent)
            let running = Task { try await discovery.run() }
            var snapshots = discovery.service("web").snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 5, entries(80))
            _ = await snapshots.next()
            let hanging = await registry.next(path)
            running.cancel()
            await hanging.closed()
            #expect(await snapshots.next() == nil)
            _ = await running.result
            await #expect(throws: DiscoveryError.self) { _ = try await discovery.instances("new") }
        }
        try await registry.stop()
    }

    @Test func moreQueriesThanAllowedAreRefused() async throws {
        try await withDiscovery({ $0.maximumWatches = 1 }) { registry, discovery, _ in
            let first = discovery.service("web")
            let second = discovery.service("other")
            await registry.next(path).answer(200, index: 5, entries(80))
            let snapshot = try await first.firstSnapshot()
            #expect(snapshot.instances.count == 1)
            await #expect(throws: DiscoveryError.self) { _ = try await second.firstSnapshot() }
        }
    }
}
