import MusterAPI
import MusterBalancing
import Testing

@testable import MusterDiscovery

/// What one datacenter's answers and failures do to what is published.
@Suite struct WatchCoreTests {
    private func list(_ ports: UInt16...) -> SourceCore.Content {
        .instances(instances(ports))
    }

    @Test func theFirstQueryDoesNotBlockAndItsAnswerCountsEvenWhenEmpty() {
        let watch = DrivenWatch()
        #expect(watch.query()?.index == nil)
        let snapshot = watch.answer(.instances([]), index: 5)
        #expect(snapshot?.instances.isEmpty == true)
        #expect(snapshot?.origin == .live)
        #expect(watch.query()?.index == 5)
    }

    @Test func theSameIndexOrContentPublishesNothing() {
        let watch = DrivenWatch()
        #expect(watch.answer(list(1), index: 5, hash: 7) != nil)
        #expect(watch.query()?.seen == 7)
        #expect(watch.answer(.unchanged, index: 5, hash: 7) == nil)
        #expect(watch.answer(list(1), index: 6, hash: 8) == nil)
        #expect(watch.query()?.index == 6)
    }

    @Test func anIndexThatGoesBackStartsOverAndTheAnswerCounts() {
        let watch = DrivenWatch()
        watch.answer(list(1), index: 900)
        let snapshot = watch.answer(list(1, 2), index: 12)
        #expect(snapshot?.index == 12)
        #expect(snapshot?.instances.count == 2)
        #expect(watch.query()?.index == nil)
        watch.answer(.unchanged, index: 12)
        #expect(watch.query()?.index == 12)
    }

    @Test func indexZeroCountsAsAnAnswerAndIsAskedAgainAfterASecondOrMore() {
        let watch = DrivenWatch()
        #expect(watch.answer(list(1), index: 0) != nil)
        for _ in 0..<5 {
            #expect(watch.query() == nil)
            watch.advance(by: .milliseconds(999))
            #expect(watch.query() == nil)
            watch.advance(by: .seconds(20))
            #expect(watch.query()?.index == 1)
            watch.answer(list(1), index: 0)
        }
    }

    @Test func aFailureKeepsTheListMarksItStaleAndStartsTheIndexOver() throws {
        let watch = DrivenWatch()
        watch.answer(list(1), index: 5)
        watch.advance(by: .seconds(9))
        let moment = watch.now
        let stale = try #require(watch.fail())
        #expect(stale.instances == instances(1))
        #expect(stale.origin == .stale(since: moment))
        #expect(stale.age(at: moment) == .seconds(9))
        watch.advance(by: .seconds(1))
        // The moment of the first failure stays.
        #expect(watch.fail() == nil)
        watch.advance(by: .seconds(2))
        #expect(watch.query()?.index == nil)
        let live = try #require(watch.answer(.unchanged, index: 2))
        #expect(live.origin == .live)
        #expect(live.instances == instances(1))
        #expect(live.generation == stale.generation + 1)
    }

    @Test func beingLimitedKeepsTheIndexAndCastsNoSuspicion() {
        let watch = DrivenWatch()
        watch.answer(list(1, 2, 3), index: 5)
        watch.fail(keepsIndex: true)
        watch.advance(by: .seconds(1))
        #expect(watch.query()?.index == 5)
        #expect(watch.answer(list(3), index: 6)?.instances == instances(3))
    }

    @Test func aFailureBeforeTheFirstAnswerPublishesNothing() {
        let watch = DrivenWatch()
        #expect(watch.fail() == nil)
    }

    @Test func anEmptyListIsHeldBackForAWhile() throws {
        let watch = DrivenWatch()
        watch.answer(list(1), index: 5)
        let held = try #require(watch.answer(.instances([]), index: 6))
        #expect(held.instances == instances(1))
        #expect(held.origin == .protected(since: watch.start))
        // The next query wakes up in time to let it through.
        #expect(watch.query()?.wait == .seconds(30))
        watch.advance(by: .seconds(10))
        #expect(watch.answer(.unchanged, index: 6) == nil)
        #expect(watch.query()?.wait == .seconds(20))
        watch.advance(by: .seconds(20))
        let empty = try #require(watch.answer(.unchanged, index: 6))
        #expect(empty.instances.isEmpty)
        #expect(empty.origin == .live)
        #expect(watch.answer(.unchanged, index: 6) == nil)
    }

    @Test func aListThatComesBackEndsTheHold() {
        let watch = DrivenWatch()
        watch.answer(list(1), index: 5)
        watch.answer(.instances([]), index: 6)
        #expect(watch.answer(list(1), index: 7)?.origin == .live)
        watch.advance(by: .seconds(40))
        watch.answer(.instances([]), index: 8)
        #expect(watch.current?.instances == instances(1))
    }

    @Test func aFailureDuringTheHoldBeginsItAnew() throws {
        let watch = DrivenWatch()
        watch.answer(list(1), index: 5)
        watch.answer(.instances([]), index: 6)
        watch.advance(by: .seconds(20))
        watch.fail()
        watch.advance(by: .seconds(20))
        // 40 s after the first empty answer, but the registry has just come back.
        let held = try #require(watch.answer(.instances([]), index: 2))
        #expect(held.instances == instances(1))
        watch.advance(by: .seconds(30))
        #expect(watch.answer(.instances([]), index: 2)?.instances.isEmpty == true)
    }

    @Test func withoutAHoldAnEmptyListCountsAtOnce() {
        let watch = DrivenWatch { $0.source.emptyHold = .zero }
        watch.answer(list(1), index: 5)
        #expect(watch.answer(.instances([]), index: 6)?.instances.isEmpty == true)
    }

    @Test func aServerThatLostTheLeaderIsNotBelievedAndTheLeaderIsAsked() throws {
        let watch = DrivenWatch(ServiceQuery("web", freshness: .stale(maxLag: .seconds(10))))
        watch.answer(list(1), index: 5, lag: .seconds(10))
        #expect(watch.query()?.freshness == .stale(maxLag: .seconds(10)))
        #expect(watch.answer(list(2), index: 6, hash: 9, lag: .seconds(11)) == nil)
        let again = try #require(watch.query())
        #expect(again.index == nil)
        #expect(again.freshness == .standard)
        #expect(again.seen != 9)
        #expect(watch.answer(list(2), index: 6)?.instances == instances(2))
        #expect(watch.query()?.freshness == .stale(maxLag: .seconds(10)))
    }

    @Test func anOldListIsBetterThanNone() throws {
        let watch = DrivenWatch(ServiceQuery("web", freshness: .stale(maxLag: .seconds(10))))
        let old = try #require(watch.answer(list(1), index: 5, lag: .seconds(60)))
        #expect(old.instances == instances(1))
        #expect(old.origin == .stale(since: watch.now - .seconds(60)))
        #expect(watch.query()?.freshness == .standard)
        watch.fail()
        #expect(watch.current?.instances == instances(1))
    }

    @Test func aServiceThatChangesAllTheTimeIsAskedOncePerSecondOrLess() {
        let watch = DrivenWatch { $0.source.asking.burst = 2 }
        var index: UInt64 = 0
        while watch.now < watch.start + .seconds(10) {
            if watch.query() == nil {
                watch.advance(by: .milliseconds(100))
            } else {
                index += 1
                watch.answer(list(UInt16(index)), index: index)
            }
        }
        #expect((8...12).contains(watch.asked))
    }

    @Test func aDelayedWatchAsksWhenItsTimeHasCome() {
        let watch = DrivenWatch { $0.delay = .milliseconds(700) }
        #expect(watch.query() == nil)
        watch.advance(by: .milliseconds(699))
        #expect(watch.query() == nil)
        watch.advance(by: .milliseconds(1))
        #expect(watch.query() != nil)
    }

    @Test func aListFromDiskServesUntilTheFirstAnswerWhichReplacesIt() throws {
        let watch = DrivenWatch()
        let kept = try #require(watch.restore(instances(1, 2, 3), age: .seconds(60)))
        #expect(kept.origin == .disk(age: .seconds(60)))
        #expect(kept.age(at: watch.now) == .seconds(60))
        #expect(watch.fail() == nil)
        watch.advance(by: .seconds(5))
        let live = try #require(watch.answer(list(9), index: 5))
        #expect(live.origin == .live)
        #expect(live.instances == instances(9))
    }

    @Test func aListFromDiskOutlivesAnEmptyFirstAnswerForTheHold() throws {
        let watch = DrivenWatch()
        _ = watch.restore(instances(1, 2), age: .seconds(60))
        let held = try #require(watch.answer(.instances([]), index: 5))
        #expect(held.instances.count == 2)
        #expect(held.origin == .protected(since: watch.now))
        watch.advance(by: .seconds(30))
        #expect(watch.answer(.unchanged, index: 5)?.instances.isEmpty == true)
    }

    @Test func aListFromDiskNeverReplacesAnAnswer() {
        let watch = DrivenWatch()
        watch.answer(list(1), index: 5)
        #expect(watch.restore(instances(1, 2, 3), age: .seconds(60)) == nil)
        #expect(watch.current?.instances == instances(1))
    }
}
