import Model
import Raft
import Simulation
import Testing

/// The checkers are checked: every known bug, switched on, is caught, and its weather alone is not.
struct BugClassTests {
    #if DEBUG
    @Test(arguments: BugClass.all)
    func aKnownBugIsCaught(bug: BugClass) {
        let violation = bug.verdict(limit: 100)
        #expect(violation != nil, "\(bug) was not caught")
    }
    #endif

    @Test(arguments: BugClass.all.filter { $0.weather != nil })
    func theWeatherWithoutTheBugIsHarmless(bug: BugClass) {
        for seed in [bug.knownSeed, bug.knownSeed + 1] {
            let violation = Simulation(bug.innocentOptions(seed: seed)).run()
            #expect(violation == nil, "\(violation?.description ?? "")")
        }
    }
}

/// The checker of client histories on histories that a person can judge.
struct LinearizabilityTests {
    private struct Story {
        var history = History()
        private var nextID: UInt64 = 0
        private var index: UInt64 = 0

        /// An operation from `begin` to `end`, in milliseconds; without an end it was not answered.
        mutating func add(
            _ kind: Operation.Kind,
            from begin: Int,
            to end: Int?,
            saw value: UInt64 = 0,
            hasEffect: Bool = true
        ) {
            nextID += 1
            history.begin(Operation(id: nextID, key: 1, kind: kind), now: .milliseconds(begin))
            guard let end else { return }
            _ = history.finish(
                nextID,
                at: .zero,
                value: value,
                hasEffect: hasEffect,
                now: .milliseconds(end)
            )
        }

        var holds: Bool {
            history.unexplainedKeys(applied: Set(1...nextID)).isEmpty
        }
    }

    @Test func aReadSeesTheLastWrite() {
        var story = Story()
        story.add(.put(5), from: 0, to: 10)
        story.add(.get(.lease), from: 20, to: 30, saw: 5)
        #expect(story.holds)
    }

    @Test func aStaleReadIsNotLinearizable() {
        var story = Story()
        story.add(.put(5), from: 0, to: 10)
        story.add(.put(6), from: 20, to: 30)
        story.add(.get(.lease), from: 40, to: 50, saw: 5)
        #expect(!story.holds)
    }

    @Test func overlappingOperationsMayTakeAnyOrder() {
        var story = Story()
        story.add(.put(5), from: 0, to: 100)
        story.add(.get(.lease), from: 10, to: 20, saw: 5)
        story.add(.get(.lease), from: 30, to: 40, saw: 5)
        #expect(story.holds)
        story.add(.get(.lease), from: 50, to: 60, saw: 0)
        #expect(!story.holds, "what was seen once cannot be unseen")
    }

    @Test func twoCompareAndSetsOfOneValueCannotBothSucceed() {
        var story = Story()
        story.add(.put(5), from: 0, to: 10)
        story.add(.compareAndSet(expected: 5, new: 6), from: 20, to: 60)
        story.add(.compareAndSet(expected: 5, new: 7), from: 20, to: 60)
        #expect(!story.holds)
    }

    @Test func aWriteWithoutAnswerMayTakeEffectLate() {
        var story = Story()
        story.add(.put(5), from: 0, to: nil)
        story.add(.get(.lease), from: 20, to: 30, saw: 0)
        story.add(.get(.lease), from: 40, to: 50, saw: 5)
        #expect(story.holds)
    }
}

extension Instant {
    fileprivate static func milliseconds(_ count: Int) -> Instant {
        Instant(nanoseconds: UInt64(count) * 1_000_000)
    }
}
