import MusterAPI
import MusterBalancing
import Testing

@testable import MusterDiscovery

/// Several datacenters: the best that serves, and back again.
@Suite struct DatacenterTests {
    private func watch(_ datacenters: [Datacenter] = [.local, "dc2"]) -> DrivenWatch {
        DrivenWatch(ServiceQuery("web", datacenters: datacenters))
    }

    private func list(_ ports: UInt16...) -> SourceCore.Content { .instances(instances(ports)) }

    private func ports(_ snapshot: ServiceSnapshot?) -> [UInt16]? {
        snapshot?.instances.map(\.endpoint.port)
    }

    @Test func onlyTheFirstIsAskedWhileItServes() {
        let watch = watch()
        #expect(watch.query(0)?.datacenter == .local)
        watch.answer(list(1), index: 5)
        watch.advance(by: .seconds(600))
        #expect(watch.query(1) == nil)
        #expect(ports(watch.current) == [1])
    }

    @Test func eachDatacenterHasAnIndexOfItsOwn() {
        // go-kratos: the first datacenter's index was used to block in the second.
        let watch = watch()
        watch.answer(.instances([]), index: 900)
        #expect(watch.query(1)?.index == nil)
        #expect(watch.query(1)?.datacenter == "dc2")
        watch.answer(list(2), index: 7, from: 1)
        #expect(watch.query(0)?.index == 900)
        #expect(watch.query(1)?.index == 7)
    }

    @Test func whenTheFirstHasNobodyTheSecondServesAndNothingEmptyIsSeenBefore() {
        let watch = watch()
        #expect(watch.answer(.instances([]), index: 5) == nil)
        #expect(ports(watch.answer(list(2), index: 7, from: 1)) == [2])
        #expect(watch.published.count == 1)
    }

    @Test func whenNobodyHasAnInstanceTheListIsEmpty() {
        let watch = watch()
        watch.answer(.instances([]), index: 5)
        #expect(ports(watch.answer(.instances([]), index: 7, from: 1)) == [])
    }

    @Test func whenTheFirstDoesNotAnswerTheSecondIsAskedAfterTwoSeconds() {
        let watch = watch()
        watch.advance(by: .milliseconds(1999))
        #expect(watch.query(1) == nil)
        watch.advance(by: .milliseconds(1))
        #expect(watch.query(1) != nil)
        #expect(ports(watch.answer(list(2), index: 7, from: 1)) == [2])
    }

    @Test func whenTheFirstFailsAtOnceSoIsTheSecondAsked() {
        let watch = watch()
        watch.fail(0)
        #expect(watch.query(1) != nil)
    }

    @Test func aShortFailureOfTheFirstMovesNothing() {
        let watch = watch()
        watch.answer(list(1), index: 5)
        watch.fail(0)
        watch.advance(by: .seconds(9))
        #expect(watch.query(1) == nil)
        watch.answer(list(1), index: 6)
        watch.advance(by: .seconds(60))
        #expect(watch.query(1) == nil)
        #expect(watch.active == 0)
    }

    @Test func aLongFailureOfTheFirstMovesToTheSecondOnceThatServes() throws {
        let watch = watch()
        watch.answer(list(1), index: 5)
        watch.fail(0)
        watch.advance(by: .seconds(10))
        #expect(watch.query(1) != nil)
        // Its last list stays in use until then.
        #expect(ports(watch.current) == [1])
        let moved = try #require(watch.answer(list(2), index: 7, from: 1))
        #expect(ports(moved) == [2])
        #expect(moved.origin == .live)
    }

    @Test func whenTheSecondFailsAsWellTheFirstsListStays() {
        let watch = watch()
        watch.answer(list(1), index: 5)
        watch.fail(0)
        watch.advance(by: .seconds(10))
        watch.fail(1)
        #expect(ports(watch.current) == [1])
    }

    @Test func anEmptiedFirstIsReplacedWithoutWaitingForTheHold() {
        let watch = watch()
        watch.answer(list(1), index: 5)
        watch.answer(.instances([]), index: 6)
        #expect(ports(watch.current) == [1])
        #expect(ports(watch.answer(list(2), index: 7, from: 1)) == [2])
    }

    @Test func theFirstGetsItsPlaceBackWhenItHasServedForAWhile() {
        let watch = watch()
        watch.answer(.instances([]), index: 5)
        watch.answer(list(2), index: 7, from: 1)
        watch.answer(list(1), index: 6)
        #expect(ports(watch.current) == [2])
        watch.advance(by: .seconds(9))
        #expect(ports(watch.current) == [2])
        watch.advance(by: .seconds(1))
        #expect(ports(watch.current) == [1])
        // The second is asked no more, once its last query has ended.
        watch.answer(list(2, 3), index: 8, from: 1)
        #expect(watch.query(1) == nil)
        #expect(ports(watch.current) == [1])
    }

    @Test func aFirstThatComesAndGoesDoesNotMakeTheListFlap() {
        let watch = watch()
        watch.answer(.instances([]), index: 5)
        watch.answer(list(2), index: 7, from: 1)
        let before = watch.published.count
        for round in 0..<10 {
            watch.answer(list(1), index: UInt64(10 + 2 * round))
            watch.advance(by: .seconds(4))
            watch.fail(0)
            watch.advance(by: .seconds(30))
        }
        #expect(watch.published.count == before)
        #expect(ports(watch.current) == [2])
    }

    @Test func whenTheSecondFailsAFirstThatServesIsTakenAtOnce() {
        let watch = watch()
        watch.answer(.instances([]), index: 5)
        watch.answer(list(2), index: 7, from: 1)
        watch.answer(list(1), index: 6)
        #expect(ports(watch.fail(1)) == [1])
    }

    @Test func aSecondThatIsNeededAgainIsAskedForItsStateNow() {
        let watch = watch()
        watch.answer(.instances([]), index: 5)
        watch.answer(list(2), index: 7, from: 1)
        watch.answer(list(1), index: 6)
        watch.advance(by: .seconds(10))
        watch.answer(list(2), index: 8, from: 1)
        watch.advance(by: .seconds(600))
        #expect(watch.query(1) == nil)
        watch.answer(.instances([]), index: 9)
        #expect(watch.query(1)?.index == nil)
        #expect(watch.query(1)?.seen == nil)
        // Its list of before is not of now.
        #expect(ports(watch.current) == [1])
        #expect(ports(watch.answer(list(3), index: 20, from: 1)) == [3])
    }

    @Test func theThirdIsAskedOnlyWhenNeitherOfTheOthersServes() {
        let watch = watch(["dc1", "dc2", "dc3"])
        watch.answer(.instances([]), index: 5)
        #expect(watch.query(2) == nil)
        watch.answer(.instances([]), index: 6, from: 1)
        #expect(watch.query(2)?.datacenter == "dc3")
        #expect(ports(watch.answer(list(3), index: 7, from: 2)) == [3])
        watch.answer(list(2), index: 8, from: 1)
        watch.advance(by: .seconds(10))
        #expect(ports(watch.current) == [2])
    }

    @Test func unhealthyInstancesDoNotServeButCountWhenThereAreNoOthers() {
        let query = ServiceQuery("web", minimumHealth: .critical, datacenters: [.local, "dc2"])
        let watch = DrivenWatch(query)
        watch.answer(.instances(instances(1, health: .critical)), index: 5)
        #expect(watch.query(1) != nil)
        #expect(ports(watch.answer(list(2), index: 6, from: 1)) == [2])
    }

    @Test func twiceTheSameDatacenterIsOneAndNoneIsTheAgentsOwn() {
        #expect(ServiceQuery("web", datacenters: []).distinctDatacenters == [.local])
        #expect(
            ServiceQuery("web", datacenters: ["a", "b", "a"]).distinctDatacenters == ["a", "b"]
        )
    }

    @Test func noDeadlineIsEverInThePastSoTheLoopCannotSpin() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<200 {
            let watch = watch(["dc1", "dc2", "dc3"])
            for _ in 0..<60 {
                if let source = watch.pending.randomElement(using: &random)?.source {
                    switch Int.random(in: 0..<5, using: &random) {
                    case 0: watch.fail(source)
                    case 1: watch.answer(.instances([]), index: 5, from: source)
                    case 2: watch.answer(.unchanged, index: 5, from: source)
                    default:
                        let index = UInt64.random(in: 0..<20, using: &random)
                        watch.answer(list(1, 2, 3), index: index, from: source)
                    }
                }
                if let deadline = watch.deadline { #expect(deadline > watch.now) }
                watch.advance(by: .milliseconds(Int.random(in: 0..<4000, using: &random)))
                #expect(watch.pending.count <= 3)
            }
            // Every datacenter that is needed is asked again in the end.
            watch.advance(by: .seconds(30))
            #expect(!watch.pending.isEmpty)
        }
    }
}
