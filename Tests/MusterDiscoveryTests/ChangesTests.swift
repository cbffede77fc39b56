import MusterBalancing
import MusterDiscovery
import MusterTesting
import Testing

/// Changes beside snapshots.
@Suite(.timeLimit(.minutes(1))) struct ChangesTests {
    private let path = "/v1/health/service/web"

    private func ports(_ instances: [Instance]?) -> [UInt16]? {
        instances?.map(\.endpoint.port)
    }

    @Test func theFirstChangeAddsEveryoneAndTheNextSaysWhoCameWentAndChanged() async throws {
        try await withDiscovery { registry, discovery, time in
            let service = discovery.service(ServiceQuery("web", minimumHealth: .warning))
            var changes = service.changes.makeAsyncIterator()
            await registry.next(path).answer(200, index: 5, entries(80, 81, 82))
            let first = await changes.next()
            #expect(ports(first?.difference.added) == [80, 81, 82])
            let warning = entries(81, status: "warning").dropFirst()
            await registry.next(path).answer(
                200,
                index: 6,
                entries(80, 83).dropLast() + "," + warning
            )
            let second = await changes.next()
            #expect(ports(second?.difference.added) == [83])
            #expect(ports(second?.difference.removed) == [82])
            #expect(ports(second?.difference.changed) == [81])
            #expect(ports(second?.snapshot.instances) == [80, 81, 83])
        }
    }

    @Test func aServiceWithoutInstancesIsAFirstChangeToo() async throws {
        try await withDiscovery { registry, discovery, _ in
            var changes = discovery.service("web").changes.makeAsyncIterator()
            await registry.next(path).answer(200, index: 5, "[]")
            let first = await changes.next()
            #expect(first?.difference.isEmpty == true)
            #expect(first?.snapshot.origin == .live)
        }
    }

    @Test func aSlowReaderGetsOneChangeForAllThatHappened() async throws {
        try await withDiscovery { registry, discovery, time in
            let service = discovery.service("web")
            var slow = service.changes.makeAsyncIterator()
            var quick = service.snapshots.makeAsyncIterator()
            await registry.next(path).answer(200, index: 5, entries(80))
            _ = await slow.next()
            _ = await quick.next()
            for last in 81..<84 {
                // The token bucket lets a query through each second.
                time.advance(by: .seconds(1))
                await registry.next(path).answer(200, index: UInt64(last), entries(80, last))
                _ = await quick.next()
            }
            let change = await slow.next()
            #expect(ports(change?.difference.added) == [83])
            #expect(change?.difference.removed.isEmpty == true)
        }
    }

    @Test func aChangeOfTheOriginAloneIsNone() async throws {
        try await withDiscovery { registry, discovery, time in
            let service = discovery.service("web")
            var changes = service.changes.makeAsyncIterator()
            await registry.next(path).answer(200, index: 5, entries(80))
            _ = await changes.next()
            await registry.next(path).answer(500)
            _ = await time.sleeper(within: .zero ... .milliseconds(1100))
            time.advance(by: .milliseconds(1100))
            await registry.next(path).answer(200, index: 3, entries(80, 81))
            let next = await changes.next()
            #expect(ports(next?.difference.added) == [81])
        }
    }

    @Test func changesEndWithTheDiscovery() async throws {
        var ended: ServiceChanges.Iterator?
        try await withDiscovery { registry, discovery, _ in
            ended = discovery.service("web").changes.makeAsyncIterator()
        }
        #expect(await ended?.next() == nil)
    }
}
