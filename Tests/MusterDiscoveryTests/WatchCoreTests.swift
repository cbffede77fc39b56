import MusterAPI
import MusterBalancing
import Testing

@testable import MusterDiscovery

/// A core that expectations may change: their macros capture it as a constant.
private final class DrivenCore {
    private var core: WatchCore

    init(_ core: WatchCore) { self.core = core }

    var instances: [Instance]? { core.instances }
    var accepted: Bool { core.accepted }

    func next(now: ContinuousClock.Instant) -> WatchCore.Step { core.next(now: now) }

    func failed(now: ContinuousClock.Instant) -> ServiceSnapshot? { core.failed(now: now) }

    func answered(
        _ content: WatchCore.Content,
        index: UInt64,
        lag: Duration = .zero,
        now: ContinuousClock.Instant
    ) -> ServiceSnapshot? {
        core.answered(content, index: index, lag: lag, now: now)
    }
}

@Suite struct WatchCoreTests {
    private let start = ContinuousClock.now

    private func core(
        _ freshness: ServiceQuery.Freshness = .standard,
        hold: Duration = .seconds(30)
    ) -> DrivenCore {
        var settings = WatchCore.Settings()
        settings.emptyHold = hold
        settings.asking.burst = 1000
        return DrivenCore(
            WatchCore(
                query: ServiceQuery("web", freshness: freshness),
                settings: settings,
                seed: 1
            )
        )
    }

    private func instance(_ port: UInt16) throws -> Instance {
        Instance(
            id: InstanceID(node: "n", serviceID: "\(port)"),
            endpoint: try #require(ServiceEndpoint(host: "10.0.0.1", port: port))
        )
    }

    private func index(_ step: WatchCore.Step) -> UInt64? {
        if case .ask(let index, _, _) = step { index } else { 0 }
    }

    @Test func theFirstRequestDoesNotBlockAndItsAnswerCountsEvenWhenEmpty() {
        let core = core()
        #expect(index(core.next(now: start)) == nil)
        let snapshot = core.answered(.instances([]), index: 5, now: start)
        #expect(snapshot?.instances.isEmpty == true)
        #expect(snapshot?.origin == .live)
        #expect(index(core.next(now: start)) == 5)
    }

    @Test func theSameIndexOrContentPublishesNothing() throws {
        let core = core()
        let list = [try instance(1)]
        #expect(core.answered(.instances(list), index: 5, now: start) != nil)
        #expect(core.answered(.unchanged, index: 5, now: start) == nil)
        #expect(core.answered(.instances(list), index: 6, now: start) == nil)
        #expect(index(core.next(now: start)) == 6)
    }

    @Test func anIndexThatGoesBackStartsOverAndTheAnswerCounts() throws {
        let core = core()
        _ = core.answered(.instances([try instance(1)]), index: 900, now: start)
        let snapshot = core.answered(.instances([try instance(2)]), index: 12, now: start)
        #expect(snapshot?.index == 12)
        #expect(index(core.next(now: start)) == nil)
        _ = core.answered(.unchanged, index: 12, now: start)
        #expect(index(core.next(now: start)) == 12)
    }

    @Test func indexZeroIsAFailureThatWaitsAndThenAsksWithOne() throws {
        let core = core()
        var now = start
        for _ in 0..<5 {
            let snapshot = core.answered(.instances([try instance(1)]), index: 0, now: now)
            if now == start { #expect(snapshot != nil) }
            guard case .sleep(let until) = core.next(now: now) else {
                Issue.record("asked at once after index 0")
                return
            }
            #expect(until >= now + .seconds(1))
            now = until
            #expect(index(core.next(now: now)) == 1)
        }
    }

    @Test func aFailureKeepsTheListMarksItStaleAndStartsTheIndexOver() throws {
        let core = core()
        let list = [try instance(1)]
        _ = core.answered(.instances(list), index: 5, now: start)
        let later = start + .seconds(9)
        let stale = try #require(core.failed(now: later))
        #expect(stale.instances == list)
        #expect(stale.origin == .stale(since: later))
        #expect(stale.age(at: later) == .seconds(9))
        #expect(core.failed(now: later) == nil)
        let live = try #require(core.answered(.unchanged, index: 2, now: later))
        #expect(live.origin == .live)
        #expect(live.instances == list)
        #expect(live.generation == stale.generation + 1)
    }

    @Test func aFailureBeforeTheFirstAnswerPublishesNothing() {
        let core = core()
        #expect(core.failed(now: start) == nil)
    }

    @Test func waitsAfterFailuresAreRandomAndBounded() {
        let core = core()
        var now = start
        var waits: [Duration] = []
        for _ in 0..<40 {
            _ = core.failed(now: now)
            if case .sleep(let until) = core.next(now: now) {
                waits.append(now.duration(to: until))
                now = until
            }
        }
        #expect(waits.allSatisfy { $0 <= .seconds(10) })
        #expect(Set(waits).count > 30)
        #expect(waits.prefix(1).allSatisfy { $0 <= .milliseconds(500) })
        #expect(waits.contains { $0 > .seconds(5) })
    }

    @Test func anEmptyListIsHeldBackForAWhile() throws {
        let core = core()
        let list = [try instance(1)]
        _ = core.answered(.instances(list), index: 5, now: start)
        let held = try #require(core.answered(.instances([]), index: 6, now: start))
        #expect(held.instances == list)
        #expect(held.origin == .protected(since: start))
        // The next query wakes up in time to let it through.
        let later = start + .seconds(10)
        #expect(
            core.next(now: later) == .ask(index: 6, wait: .seconds(20), freshness: .standard)
        )
        #expect(core.answered(.unchanged, index: 6, now: later) == nil)
        let end = start + .seconds(30)
        let empty = try #require(core.answered(.unchanged, index: 6, now: end))
        #expect(empty.instances.isEmpty)
        #expect(empty.origin == .live)
        #expect(core.answered(.unchanged, index: 6, now: end) == nil)
    }

    @Test func aListThatComesBackEndsTheHold() throws {
        let core = core()
        let list = [try instance(1)]
        _ = core.answered(.instances(list), index: 5, now: start)
        _ = core.answered(.instances([]), index: 6, now: start)
        let back = try #require(core.answered(.instances(list), index: 7, now: start))
        #expect(back.origin == .live)
        _ = core.answered(.instances([]), index: 8, now: start + .seconds(40))
        #expect(core.instances == list)
    }

    @Test func withoutAHoldAnEmptyListCountsAtOnce() throws {
        let core = core(hold: .zero)
        _ = core.answered(.instances([try instance(1)]), index: 5, now: start)
        let empty = core.answered(.instances([]), index: 6, now: start)
        #expect(empty?.instances.isEmpty == true)
    }

    @Test func aServerThatLostTheLeaderIsNotBelieved() throws {
        let core = core(.stale(maxLag: .seconds(10)))
        let list = [try instance(1)]
        #expect(
            core.next(now: start)
                == .ask(
                    index: nil,
                    wait: .seconds(60),
                    freshness: .stale(maxLag: .seconds(10))
                )
        )
        let refused = core.answered(.instances(list), index: 5, lag: .seconds(11), now: start)
        #expect(refused == nil)
        #expect(!core.accepted)
        #expect(
            core.next(now: start) == .ask(index: nil, wait: .seconds(60), freshness: .standard)
        )
        #expect(core.answered(.instances(list), index: 5, now: start) != nil)
    }

    @Test func aServiceThatChangesAllTheTimeIsAskedOncePerSecondOrLess() {
        var core = WatchCore(
            query: ServiceQuery("web"),
            settings: WatchCore.Settings(),
            seed: 1
        )
        var now = start
        var asked = 0
        while now < start + .seconds(10) {
            switch core.next(now: now) {
            case .sleep(let until): now = until
            case .ask:
                asked += 1
                _ = core.answered(.instances([]), index: UInt64(asked), now: now)
            }
        }
        #expect((8...12).contains(asked))
    }
}
