import MusterBalancing
import Testing

@Suite struct EndpointTests {
    @Test(arguments: [
        ("10.0.0.1", "10.0.0.1:80"), ("255.255.255.255", "255.255.255.255:80"),
        ("::1", "[::1]:80"), ("[::1]", "[::1]:80"), ("::", "[::]:80"),
        ("2001:DB8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]:80"),
        ("2001:db8:0:1:1:1:1:1", "[2001:db8:0:1:1:1:1:1]:80"),
        ("::ffff:10.0.0.1", "[::ffff:a00:1]:80"), ("fe80::", "[fe80::]:80"),
        ("db-1.example_net.org", "db-1.example_net.org:80"), ("1.2.3", "1.2.3:80"),
    ])
    func hostsAreReadAndWrittenInTheirCanonicalForm(_ host: String, _ authority: String) throws {
        #expect(try #require(ServiceEndpoint(host: host, port: 80)).authority == authority)
    }

    @Test(arguments: [
        "", "a b", "http://x", "1::2::3", "::1%eth0", ":::", "1:2:3:4:5:6:7:8:9", "x/y", "g::1",
        "1:2:3:4:5:6:7::8", "[::1", "a\u{0}b", "::12345", "\u{FF11}::",
    ])
    func whatIsNeitherAddressNorNameIsRefused(_ host: String) {
        #expect(ServiceEndpoint(host: host, port: 80) == nil)
    }

    @Test func aHostNameLongerThanDNSAllowsIsRefused() {
        #expect(ServiceEndpoint(host: String(repeating: "a", count: 255), port: 1) != nil)
        #expect(ServiceEndpoint(host: String(repeating: "a", count: 256), port: 1) == nil)
    }

    @Test func equalHostsMakeEqualEndpoints() {
        #expect(ServiceEndpoint(host: "x.y", port: 1) == ServiceEndpoint(host: "x.y", port: 1))
        #expect(ServiceEndpoint(host: "x.y", port: 1) != ServiceEndpoint(host: "x.y", port: 2))
        #expect(ServiceEndpoint(host: "0.0.0.1", port: 1) != ServiceEndpoint(host: "::1", port: 1))
        #expect(
            ServiceEndpoint(host: "1::", port: 1) == ServiceEndpoint(host: "1:0:0::", port: 1)
        )
    }

    @Test func randomBytesNeverTrap() {
        var random = SeededRandom(seed: 3)
        let alphabet = Array("0123456789abcdef:.%[]g")
        for _ in 0..<20_000 {
            let length = Int.random(in: 0...48, using: &random)
            let text = String(
                (0..<length).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                }
            )
            guard let endpoint = ServiceEndpoint(host: text, port: 9) else { continue }
            #expect(ServiceEndpoint(host: endpoint.host, port: 9) == endpoint)
        }
    }
}

@Suite struct SnapshotTests {
    @Test func instancesAreOrderedByIdAndKeptOnce() {
        let list = instances(weights: [1, 2, 3])
        let snapshot = snapshot([list[2], list[0], list[1], list[0]])
        #expect(snapshot.instances == list)
    }

    @Test func theDifferenceListsWhatCameWentAndChanged() {
        var list = instances(weights: [1, 1, 1, 1])
        let old = snapshot([list[0], list[1], list[2]])
        list[1].weight = 5
        let new = snapshot([list[1], list[2], list[3]])
        let difference = new.difference(from: old)
        #expect(difference.added == [list[3]])
        #expect(difference.removed == [list[0]])
        #expect(difference.changed == [list[1]])
        #expect(!difference.isEmpty)
        #expect(new.difference(from: new).isEmpty)
    }

    @Test func ageCountsFromTheLastConfirmation() {
        let start = ContinuousClock.now
        let snapshot = ServiceSnapshot(instances: [], confirmed: start)
        #expect(snapshot.age(at: start + .seconds(3)) == .seconds(3))
        #expect(snapshot.age(at: start - .seconds(3)) == .zero)
    }
}
