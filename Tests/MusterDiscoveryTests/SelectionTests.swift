import MusterBalancing
import MusterTesting
import Testing

@testable import MusterDiscovery

/// What a query asks the registry for.
@Suite(.timeLimit(.minutes(1))) struct SelectionTests {
    private let path = "/v1/health/service/"

    private func request(_ query: ServiceQuery) async throws -> ScriptedRequest {
        try await withDiscovery { registry, discovery, _ in
            async let snapshot = discovery.instances(query)
            let request = await registry.next(path)
            request.answer(200, index: 5, "[]")
            _ = try await snapshot
            return request
        }
    }

    private func parameters(_ request: ScriptedRequest) -> Set<String> {
        Set(
            (request.target.split(separator: "?").last ?? "").split(separator: "&").map(String.init)
        )
    }

    @Test func tagsNodeMetadataNearnessAndDatacenterAreTheRegistrysOwnParameters() async throws {
        let request = try await request(
            ServiceQuery(
                "web",
                tags: ["v2", "eu"],
                nodeMeta: ["rack": "r 1", "az": "a"],
                near: Proximity(3),
                datacenters: ["dc2"]
            )
        )
        #expect(
            parameters(request)
                .isSuperset(of: [
                    "tag=v2", "tag=eu", "node-meta=rack%3Ar%201", "node-meta=az%3Aa",
                    "near=_agent", "dc=dc2", "passing=1", "stale",
                ])
        )
    }

    @Test func freshnessAndHealthChooseTheParameters() async throws {
        let consistent = try await request(
            ServiceQuery("web", minimumHealth: .critical, freshness: .consistent)
        )
        #expect(parameters(consistent) == ["consistent"])
        let standard = try await request(ServiceQuery("web", freshness: .standard))
        #expect(parameters(standard) == ["passing=1"])
    }

    @Test func aNameWithAnyCharactersIsOnePathSegment() async throws {
        let request = try await request("ä b?c#d")
        #expect(request.target.hasPrefix("/v1/health/service/%C3%A4%20b%3Fc%23d?"))
    }

    @Test func metadataBecomesAFilterBesideTheUsers() {
        #expect(ServiceQuery("web").expression == nil)
        #expect(ServiceQuery("web", filter: "").expression == nil)
        #expect(ServiceQuery("web", filter: "a == 1").expression == "a == 1")
        #expect(
            ServiceQuery("web", meta: ["b": "2", "a": "1"]).expression
                == #"Service.Meta["a"] == "1" and Service.Meta["b"] == "2""#
        )
        #expect(
            ServiceQuery("web", filter: "x or y", meta: ["a": "1"]).expression
                == #"Service.Meta["a"] == "1" and (x or y)"#
        )
    }

    @Test func quotesAndControlCharactersCannotLeaveTheirText() {
        #expect(
            ServiceQuery("web", meta: ["a": "\" or \\ \n ü"]).expression
                == #"Service.Meta["a"] == "\u0022 or \u005c \u000a ü""#
        )
    }

    @Test func ofInstancesSortedByDistanceTheNearestCount() async throws {
        try await withDiscovery { registry, discovery, _ in
            async let snapshot = discovery.instances(
                ServiceQuery("web", near: Proximity(2, to: "n7"))
            )
            let request = await registry.next(path)
            #expect(request.parameter("near") == "n7")
            request.answer(200, index: 5, entries(85, 82, 81, 80))
            let found = try await snapshot
            #expect(ports(found) == [82, 85])
        }
    }

    @Test func unhealthyInstancesDoNotTakeThePlaceOfTheNearest() async throws {
        try await withDiscovery { registry, discovery, _ in
            async let snapshot = discovery.instances(ServiceQuery("web", near: Proximity(1)))
            let critical = entries(85, status: "critical").dropLast()
            await registry.next(path).answer(
                200,
                index: 5,
                critical + "," + entries(82, 81).dropFirst()
            )
            let found = try await snapshot
            #expect(ports(found) == [82])
        }
    }

    @Test func queriesThatDifferInAnythingHaveLabelsThatDiffer() {
        let queries = [
            ServiceQuery("web"), ServiceQuery("web", tags: ["a"]),
            ServiceQuery("web", minimumHealth: .warning), ServiceQuery("web", filter: "a == 1"),
            ServiceQuery("web", meta: ["a": "1"]), ServiceQuery("web", nodeMeta: ["a": "1"]),
            ServiceQuery("web", near: Proximity(1)), ServiceQuery("web", datacenters: ["dc2"]),
        ]
        #expect(Set(queries.map(\.label)).count == queries.count)
        #expect(queries[0].label.isEmpty)
    }
}
