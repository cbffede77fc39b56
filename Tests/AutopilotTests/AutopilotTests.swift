import Autopilot
import Model
import Testing

/// A log of servers whose leader is number 1.
private struct Cluster {
    var autopilot = Autopilot(deadAfter: .seconds(60))
    var configuration = AutopilotConfiguration()
    var servers: [ServerObservation]
    var seconds: UInt64 = 1000

    init(voters: Int, learners: Int = 0) {
        servers = (1...UInt128(voters + learners)).map { id in
            ServerObservation(
                id: id,
                isVoter: id <= voters,
                isLeader: id == 1,
                isReachable: true,
                lastContact: .milliseconds(20),
                last: LogEnd(term: 7, index: LogIndex(rawValue: 1000))
            )
        }
    }

    mutating func change(_ id: UInt128, _ body: (inout ServerObservation) -> Void) {
        guard let position = servers.firstIndex(where: { $0.id == id }) else { return }
        body(&servers[position])
    }

    mutating func fail(_ ids: UInt128...) {
        for id in ids { change(id) { $0.isReachable = false } }
    }

    mutating func review(after elapsed: UInt64 = 2) -> AutopilotReview {
        seconds += elapsed
        return autopilot.review(
            servers,
            leader: LogEnd(term: 7, index: LogIndex(rawValue: 1000)),
            configuration: configuration,
            now: Instant(nanoseconds: seconds * 1_000_000_000),
            wallClock: Timestamp(nanosecondsSinceEpoch: seconds * 1_000_000_000)
        )
    }

    /// Does what is asked, as long as something is.
    mutating func settle() -> [AutopilotAction] {
        var actions: [AutopilotAction] = []
        while let action = review().action, actions.count < 20 {
            actions.append(action)
            switch action {
            case .promote(let id): change(id) { $0.isVoter = true }
            case .remove(let id): servers.removeAll { $0.id == id }
            }
        }
        return actions
    }
}

@Suite struct AutopilotTests {
    private func health(_ review: AutopilotReview, _ id: UInt128) throws -> ServerRecord {
        try #require(review.servers.first { $0.server.id == id })
    }

    @Test func aServerIsHealthyWhenItIsHeardUpToDateAndOfTheLeadersTerm() throws {
        let flaws: [(inout ServerObservation) -> Void] = [
            { $0.isReachable = false },
            { $0.lastContact = nil },
            { $0.lastContact = .milliseconds(201) },
            { $0.last.term = 6 },
            { $0.last.index = LogIndex(rawValue: 749) },
        ]
        for flaw in flaws {
            var cluster = Cluster(voters: 3)
            cluster.change(2, flaw)
            let review = cluster.review()
            #expect(try !health(review, 2).isHealthy)
            #expect(try health(review, 3).isHealthy)
            #expect(!review.isHealthy)
        }
        let bearable: [(inout ServerObservation) -> Void] = [
            { $0.lastContact = .milliseconds(200) },
            { $0.last.index = LogIndex(rawValue: 750) },
            { $0.last.index = LogIndex(rawValue: 1001) },
        ]
        for change in bearable {
            var cluster = Cluster(voters: 3)
            cluster.change(2, change)
            #expect(cluster.review().isHealthy)
        }
    }

    @Test func theLeaderIsHealthyWhateverIsSaidOfIt() throws {
        var cluster = Cluster(voters: 3)
        cluster.change(1) { leader in
            leader.isReachable = false
            leader.lastContact = nil
        }
        #expect(try health(cluster.review(), 1).isHealthy)
        cluster.fail(2)
        _ = cluster.review()
        #expect(cluster.review(after: 600).action == .remove(2))
    }

    @Test(arguments: [
        (1, 0, 0), (2, 0, 0), (3, 0, 1), (3, 1, 0), (3, 2, 0), (4, 0, 1), (5, 0, 2), (5, 1, 1),
        (5, 3, 0),
    ])
    func theToleranceIsWhatIsHealthyBeyondAMajority(
        _ voters: Int,
        _ failed: Int,
        _ tolerance: Int
    ) {
        var cluster = Cluster(voters: voters, learners: 2)
        for id in 0..<failed { cluster.fail(UInt128(voters - id)) }
        #expect(cluster.review().failureTolerance == tolerance)
    }

    @Test func stableSinceIsWhenTheHealthLastChanged() throws {
        var cluster = Cluster(voters: 3)
        let start = try health(cluster.review(), 2).stableSince
        #expect(try health(cluster.review(after: 30), 2).stableSince == start)
        cluster.fail(2)
        let lost = try health(cluster.review(), 2).stableSince
        #expect(lost.nanosecondsSinceEpoch == cluster.seconds * 1_000_000_000)
        #expect(try health(cluster.review(), 2).stableSince == lost)
        cluster.change(2) { $0.isReachable = true }
        #expect(try health(cluster.review(), 2).stableSince > lost)
        #expect(try health(cluster.review(), 3).stableSince == start)
    }

    @Test func aLearnerIsPromotedWhenItHasBeenHealthyForLongEnough() {
        var cluster = Cluster(voters: 3, learners: 1)
        #expect(cluster.review().action == nil)
        #expect(cluster.review(after: 9).action == nil)
        #expect(cluster.review(after: 1).action == .promote(4))
        // It was away for one review: its time begins anew.
        cluster.change(4) { $0.lastContact = .seconds(1) }
        #expect(cluster.review().action == nil)
        cluster.change(4) { $0.lastContact = .zero }
        #expect(cluster.review().action == nil)
        #expect(cluster.review(after: 9).action == nil)
        #expect(cluster.review(after: 1).action == .promote(4))
    }

    @Test func learnersArePromotedOneAfterTheOther() {
        var cluster = Cluster(voters: 1, learners: 3)
        _ = cluster.review()
        cluster.seconds += 10
        #expect(cluster.settle() == [.promote(2), .promote(3), .promote(4)])
        #expect(cluster.review().failureTolerance == 1)
    }

    @Test func aDeadServerIsRemovedOnlyAfterItsTime() {
        var cluster = Cluster(voters: 3)
        _ = cluster.review()
        cluster.fail(3)
        #expect(cluster.review().action == nil)
        #expect(cluster.review(after: 59).action == nil)
        #expect(cluster.review(after: 1).action == .remove(3))
        cluster.configuration.cleanupDeadServers = false
        #expect(cluster.review().action == nil)
    }

    @Test func whoComesBackInTimeStays() {
        var cluster = Cluster(voters: 3)
        cluster.fail(3)
        _ = cluster.review()
        _ = cluster.review(after: 59)
        cluster.change(3) { $0.isReachable = true }
        #expect(cluster.review().action == nil)
        cluster.fail(3)
        #expect(cluster.review(after: 30).action == nil)
        #expect(cluster.review(after: 59).action == nil)
        #expect(cluster.review(after: 1).action == .remove(3))
    }

    @Test func silenceOfWhoIsConnectedIsNoDeath() {
        var cluster = Cluster(voters: 3)
        cluster.change(3) { $0.lastContact = .seconds(3600) }
        _ = cluster.review()
        #expect(cluster.review(after: 3600).action == nil)
    }

    @Test(arguments: [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 2), (7, 3)])
    func onlyAMinorityIsEverRemoved(_ voters: Int, _ spared: Int) {
        for dead in 0..<voters {
            var cluster = Cluster(voters: voters)
            for id in 0..<dead { cluster.fail(UInt128(voters - id)) }
            _ = cluster.review()
            cluster.seconds += 60
            let actions = cluster.settle()
            #expect(actions.count == (dead <= spared ? dead : 0), "\(dead) of \(voters)")
            let refusal = cluster.review().refusal
            let expected = RemovalRefusal.tooManyDead(dead: dead, voters: voters)
            #expect(refusal == (dead <= spared ? nil : expected))
        }
    }

    @Test func theMinimumQuorumIsKept() {
        var cluster = Cluster(voters: 5)
        cluster.configuration.minQuorum = 4
        cluster.fail(4, 5)
        _ = cluster.review()
        let review = cluster.review(after: 60)
        #expect(review.action == nil)
        #expect(review.refusal == .belowMinimumQuorum(dead: 2, voters: 5))
        cluster.configuration.minQuorum = 3
        #expect(cluster.settle() == [.remove(4), .remove(5)])
        cluster.configuration.minQuorum = .max
        cluster.fail(3)
        _ = cluster.review()
        #expect(cluster.review(after: 60).action == nil)
    }

    @Test func aReplacementVotesBeforeTheDeadServerGoes() {
        var cluster = Cluster(voters: 3, learners: 1)
        cluster.fail(3)
        _ = cluster.review()
        cluster.seconds += 60
        #expect(cluster.settle() == [.promote(4), .remove(3)])
        #expect(cluster.servers.map(\.id) == [1, 2, 4])
        #expect(cluster.review().isHealthy)
    }

    @Test func aNewLeaderCountsFromItsFirstReview() {
        var cluster = Cluster(voters: 3)
        cluster.fail(3)
        _ = cluster.review()
        _ = cluster.review(after: 59)
        cluster.autopilot = Autopilot(deadAfter: .seconds(60))
        #expect(cluster.review().action == nil)
        #expect(cluster.review(after: 59).action == nil)
        #expect(cluster.review(after: 1).action == .remove(3))
    }
}
