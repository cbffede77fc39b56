import MusterAPI
import Testing

/// The rules of a loop of blocking queries.
@Suite struct BlockingQueryTests {
    private let start = ContinuousClock.now

    /// A generator that always gives the same number, so that waits can be told.
    private struct Fixed: RandomNumberGenerator {
        var number: UInt64
        func next() -> UInt64 { number }
    }

    private let highest = Fixed(number: .max - (1 << 11))

    private func eager() -> BlockingQuery {
        var settings = BlockingQuery.Settings()
        settings.burst = 1000
        return BlockingQuery(settings: settings)
    }

    private func index(_ step: BlockingQuery.Step) -> UInt64? {
        if case .ask(let index, _) = step { index } else { 0 }
    }

    @Test func theFirstQueryHasNoIndexAndTheNextOneHasTheAnswers() {
        var loop = eager()
        var random = highest
        let first = loop.next(now: start)
        #expect(first == .ask(index: nil, wait: .seconds(60)))
        let advance = loop.answered(index: 7, now: start, using: &random)
        #expect(advance == .forward)
        let second = loop.next(now: start)
        #expect(second == .ask(index: 7, wait: .seconds(60)))
        let later = loop.answered(index: 9, now: start, using: &random)
        #expect(later == .forward)
        let third = loop.next(now: start)
        #expect(index(third) == 9)
    }

    @Test func indexZeroIsAFailureAndTheNextQueryAsksWithOneAfterASecondOrMore() {
        var loop = eager()
        var random = Fixed(number: 0)
        var now = start
        for _ in 0..<20 {
            let advance = loop.answered(index: 0, now: now, using: &random)
            #expect(advance == .zero)
            let step = loop.next(now: now)
            #expect(step == .sleep(until: now + .seconds(1)))
            now += .seconds(1)
            let next = loop.next(now: now)
            #expect(index(next) == 1)
        }
        #expect(loop.failures == 20)
    }

    @Test(arguments: [UInt64(899), 12, 1])
    func anIndexThatGoesBackStartsOverAtOnce(lower: UInt64) {
        var loop = eager()
        var random = highest
        _ = loop.answered(index: 900, now: start, using: &random)
        let advance = loop.answered(index: lower, now: start, using: &random)
        #expect(advance == .back)
        let over = loop.next(now: start)
        #expect(over == .ask(index: nil, wait: .seconds(60)))
        let again = loop.answered(index: lower, now: start, using: &random)
        #expect(again == .forward)
        let next = loop.next(now: start)
        #expect(index(next) == lower)
    }

    @Test func anEqualIndexIsAWaitThatRanOutAndNoFailure() {
        var loop = eager()
        var random = highest
        _ = loop.answered(index: 900, now: start, using: &random)
        let advance = loop.answered(index: 900, now: start, using: &random)
        #expect(advance == .same)
        #expect(loop.failures == 0)
        let next = loop.next(now: start)
        #expect(index(next) == 900)
    }

    @Test func indexesUseAll64Bits() {
        var loop = eager()
        var random = highest
        _ = loop.answered(index: .max - 1, now: start, using: &random)
        let advance = loop.answered(index: .max, now: start, using: &random)
        #expect(advance == .forward)
        let next = loop.next(now: start)
        #expect(index(next) == .max)
    }

    @Test func aFailureStartsTheIndexOverUnlessTheRegistryIsKnownToBeTheSame() {
        for keepsIndex in [false, true] {
            var loop = eager()
            var random = Fixed(number: 0)
            _ = loop.answered(index: 900, now: start, using: &random)
            loop.failed(keepsIndex: keepsIndex, now: start, using: &random)
            let next = loop.next(now: start)
            #expect(index(next) == (keepsIndex ? 900 : nil))
        }
    }

    @Test func waitsAfterFailuresDoubleUpToTheCapAndASuccessEndsThem() {
        var loop = eager()
        var random = highest
        var now = start
        var waits: [Duration] = []
        for _ in 0..<8 {
            loop.failed(now: now, using: &random)
            guard case .sleep(let until) = loop.next(now: now) else {
                Issue.record("asked at once after a failure")
                return
            }
            waits.append(now.duration(to: until))
            now = until
            guard case .ask = loop.next(now: now) else {
                Issue.record("did not ask after the wait")
                return
            }
        }
        let limits = [0.5, 1, 2, 4, 8, 8, 8, 8].map { Duration.seconds($0) }
        for (wait, limit) in zip(waits, limits) {
            #expect(wait <= limit && wait > limit * 0.99)
        }
        _ = loop.answered(index: 5, now: now, using: &random)
        #expect(loop.failures == 0)
    }

    @Test func theWholeRangeOfAWaitIsRandom() {
        var random = SystemRandomNumberGenerator()
        let waits = (0..<200).map { _ in
            var loop = eager()
            loop.failed(now: start, using: &random)
            guard case .sleep(let until) = loop.next(now: start) else { return Duration.zero }
            return start.duration(to: until)
        }
        #expect(waits.contains { $0 < .milliseconds(100) })
        #expect(waits.contains { $0 > .milliseconds(400) })
    }

    @Test func aWaitIsShortenedButNeverBelowAMillisecondWhichWouldMeanTheDefault() {
        var loop = eager()
        let shortened = loop.next(now: start, longestWait: .seconds(3))
        #expect(shortened == .ask(index: nil, wait: .seconds(3)))
        let least = loop.next(now: start, longestWait: .microseconds(3))
        #expect(least == .ask(index: nil, wait: .milliseconds(1)))
        let past = loop.next(now: start, longestWait: .seconds(-3))
        #expect(past == .ask(index: nil, wait: .milliseconds(1)))
        let longer = loop.next(now: start, longestWait: .seconds(300))
        #expect(longer == .ask(index: nil, wait: .seconds(60)))
    }

    @Test func underChurnTheFirstTwoAreNotDelayedThenOnePerSecondThenOnePerTwelve() {
        var loop = BlockingQuery()
        var random = highest
        var now = start
        var asked: [Duration] = []
        while now < start + .seconds(300) {
            switch loop.next(now: now) {
            case .sleep(let until): now = until
            case .ask:
                asked.append(start.duration(to: now))
                _ = loop.answered(index: UInt64(asked.count), now: now, using: &random)
            }
        }
        #expect(asked[0] == .zero && asked[1] == .zero)
        #expect(asked.count { $0 <= .seconds(5) } == 7)
        let late = asked.filter { $0 > .seconds(100) }
        let gaps = zip(late, late.dropFirst()).map { $1 - $0 }
        #expect(!gaps.isEmpty)
        #expect(gaps.allSatisfy { $0 == .seconds(12) })
        // Quiet again: the next change is not delayed, and neither is the one after it.
        now += .seconds(60)
        for _ in 0..<2 {
            let step = loop.next(now: now)
            guard case .ask = step else {
                Issue.record("delayed after the quiet")
                return
            }
        }
    }

    @Test func afterAWaitThereAreNoThreeQueriesAtOnce() {
        var loop = BlockingQuery()
        var random = highest
        var now = start
        loop.failed(now: now, using: &random)
        var asked: [ContinuousClock.Instant] = []
        while asked.count < 3 {
            switch loop.next(now: now) {
            case .sleep(let until): now = until
            case .ask:
                asked.append(now)
                _ = loop.answered(index: UInt64(asked.count), now: now, using: &random)
            }
        }
        #expect(asked[0] > start)
        #expect(asked[0].duration(to: asked[2]) >= .seconds(1))
    }

    @Test func changesAFewSecondsApartAreNeverDelayed() {
        var loop = BlockingQuery()
        var random = highest
        for change in 0..<100 {
            let now = start + .seconds(2) * change
            guard case .ask = loop.next(now: now) else {
                Issue.record("change \(change) was delayed")
                return
            }
            _ = loop.answered(index: UInt64(change + 1), now: now, using: &random)
        }
    }

    @Test func anHourOfSuspensionDoesNotDelayTheNextQuery() {
        var loop = BlockingQuery()
        var random = highest
        _ = loop.next(now: start)
        loop.failed(now: start, using: &random)
        guard case .sleep = loop.next(now: start) else {
            Issue.record("asked at once after a failure")
            return
        }
        let step = loop.next(now: start + .seconds(3600))
        #expect(index(step) == nil)
    }
}
