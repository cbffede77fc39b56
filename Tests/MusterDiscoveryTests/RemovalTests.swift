import MusterAPI
import MusterBalancing
import Testing

@testable import MusterDiscovery

/// A registry that was just restarted may not have heard of everyone yet.
@Suite struct RemovalTests {
    private let twenty = instances(Array(1...20))

    private func watch(
        _ configure: (inout WatchCore.Settings) -> Void = { _ in }
    ) -> DrivenWatch {
        let watch = DrivenWatch("web", configure)
        watch.answer(.instances(twenty), index: 900)
        return watch
    }

    private func ports(_ snapshot: ServiceSnapshot?) -> [UInt16]? {
        snapshot?.instances.map(\.endpoint.port)
    }

    @Test func aSteadyRegistryIsBelievedWhateverItRemoves() {
        let watch = watch()
        watch.advance(by: .seconds(60))
        #expect(ports(watch.answer(.instances(instances(7)), index: 901)) == [7])
    }

    @Test func afterAFailureAtMostAFifthIsRemovedPerAnswer() throws {
        let watch = watch()
        watch.fail()
        watch.advance(by: .seconds(1))
        let first = try #require(watch.answer(.instances(instances(20)), index: 3))
        #expect(first.origin == .protected(since: watch.now))
        #expect(ports(first) == Array(5...20))
        let second = watch.answer(.instances(instances(19, 20)), index: 4)
        #expect(ports(second) == Array(8...20))
    }

    @Test func instancesThatComeBackAndNewOnesCountAtOnce() throws {
        let watch = watch()
        watch.fail()
        watch.advance(by: .seconds(1))
        watch.answer(.instances(instances(20, 30)), index: 3)
        #expect(ports(watch.current) == Array(5...20) + [30])
        let back = watch.answer(.instances(twenty + instances(30)), index: 4)
        #expect(ports(back) == Array(1...20) + [30])
        #expect(back?.origin == .live)
    }

    @Test func onceTheRegistryHasBeenWellForAWhileWhatItListsCounts() throws {
        let watch = watch()
        watch.fail()
        watch.advance(by: .seconds(1))
        watch.answer(.instances(instances(20)), index: 3, hash: 1)
        // It is asked again in time.
        #expect(watch.query()?.wait == .seconds(30))
        watch.advance(by: .seconds(29))
        #expect(watch.answer(.unchanged, index: 3, hash: 1) == nil)
        #expect(ports(watch.current)?.count == 16)
        watch.advance(by: .seconds(1))
        let settled = try #require(watch.answer(.unchanged, index: 3, hash: 1))
        #expect(ports(settled) == [20])
        #expect(settled.origin == .live)
    }

    @Test func anIndexThatGoesBackIsSuspiciousToo() {
        let watch = watch()
        #expect(ports(watch.answer(.instances(instances(20)), index: 3)) == Array(5...20))
    }

    @Test func aFailureWhileSettlingBeginsItAnew() {
        let watch = watch()
        watch.fail()
        watch.advance(by: .seconds(1))
        watch.answer(.instances(instances(20)), index: 3)
        watch.advance(by: .seconds(25))
        watch.fail()
        watch.advance(by: .seconds(20))
        watch.answer(.unchanged, index: 3)
        #expect(ports(watch.current)?.count == 16)
        watch.advance(by: .seconds(30))
        #expect(ports(watch.answer(.unchanged, index: 3)) == [20])
    }

    @Test func oneOfFewMayAlwaysGo() {
        let watch = DrivenWatch()
        watch.answer(.instances(instances(1, 2)), index: 900)
        watch.fail()
        watch.advance(by: .seconds(1))
        #expect(ports(watch.answer(.instances(instances(2)), index: 3)) == [2])
    }

    @Test func withAShareOfOneEveryAnswerCounts() {
        let watch = watch { $0.source.removalShare = 1 }
        watch.fail()
        watch.advance(by: .seconds(1))
        #expect(ports(watch.answer(.instances(instances(20)), index: 3)) == [20])
    }

    @Test func aHeldInstanceThatIsListedAgainIsTakenAsListed() {
        let watch = watch()
        watch.fail()
        watch.advance(by: .seconds(1))
        watch.answer(.instances(instances(20)), index: 3)
        let warning = instances(10, health: .warning)
        let next = watch.answer(.instances(warning + instances(20)), index: 4)
        #expect(next?.instances.first { $0.endpoint.port == 10 }?.health == .warning)
        #expect(next?.instances.count { $0.endpoint.port == 10 } == 1)
    }
}
