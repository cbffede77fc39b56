@testable import MusterBalancing
import Testing

@Suite struct RetryBudgetTests {
    private let start = ContinuousClock.now

    @Test func retriesAreAFifthOfTheCallsAndTenPerSecond() {
        let budget = RetryBudget()
        #expect(budget.balance(at: start) == 100)
        for number in 0..<1000 { budget.deposit(at: start + .milliseconds(number)) }
        #expect(budget.balance(at: start + .seconds(1)) == 300)
        var granted = 0
        while budget.withdraw(at: start + .seconds(1)), granted < 10_000 { granted += 1 }
        #expect(granted == 300)
        #expect(budget.refusals == 1)
    }

    @Test func callsAreForgottenAfterTheWindowAndSoAreRetries() {
        let budget = RetryBudget(share: 0.5, minimumPerSecond: 1, window: .seconds(10))
        for _ in 0..<100 { budget.deposit(at: start) }
        #expect(budget.balance(at: start) == 60)
        for _ in 0..<60 { #expect(budget.withdraw(at: start)) }
        #expect(!budget.withdraw(at: start + .seconds(5)))
        #expect(budget.balance(at: start + .seconds(12)) == 10)
    }

    @Test func aLongPauseLeavesTheReserve() {
        let budget = RetryBudget(minimumPerSecond: 2)
        for _ in 0..<1000 { budget.deposit(at: start) }
        #expect(budget.balance(at: start + .seconds(86_400)) == 20)
    }

    @Test func withoutAReserveThereIsNoRetryBeforeTheFifthCall() {
        let budget = RetryBudget(share: 0.2, minimumPerSecond: 0)
        for call in 1...10 {
            budget.deposit(at: start)
            #expect(budget.withdraw(at: start) == (call % 5 == 0), "call \(call)")
        }
    }

    @Test func aClockThatGoesBackEarnsNothing() {
        let budget = RetryBudget(share: 0, minimumPerSecond: 1)
        for _ in 0..<10 { #expect(budget.withdraw(at: start)) }
        #expect(!budget.withdraw(at: start - .seconds(3600)))
        #expect(!budget.withdraw(at: start))
        #expect(budget.withdraw(at: start + .seconds(11)))
    }

    @Test func absurdSettingsAreClamped() {
        for share in [-1, .nan, .infinity, 1e300] as [Double] {
            for rate in [-1, .nan, .infinity, 1e300] as [Double] {
                for window in [Duration.zero, .seconds(-5), .seconds(Int64.max)] {
                    let budget = RetryBudget(
                        share: share,
                        minimumPerSecond: rate,
                        window: window
                    )
                    for _ in 0..<100 { budget.deposit(at: start) }
                    #expect(budget.balance(at: start) >= 0)
                    _ = budget.withdraw(at: start)
                }
            }
        }
    }

    @Test func aSpentBudgetLetsTheErrorThrough() async {
        struct Broken: Error {}
        var options = Balancer.Options()
        options.retryBudget = RetryBudget(share: 0, minimumPerSecond: 1, window: .seconds(1))
        options.clock = { [start] in start }
        let balancer = Balancer(options: options)
        balancer.update(snapshot(instances(weights: [1, 1, 1])))
        var attempts = 0
        for _ in 0..<10 {
            await #expect(throws: Broken.self) {
                try await balancer.withInstance(failover: .nextInstance(attempts: 3) { _ in true })
                {
                    _ in
                    attempts += 1
                    throw Broken()
                }
            }
        }
        #expect(attempts == 11)
        #expect(balancer.retryBudget.refusals == 10)
    }
}

@Suite struct HedgingTests {
    private let start = ContinuousClock.now

    private func call(_ attempts: Int, delay: Duration = .milliseconds(10)) -> HedgedCall {
        var policy = HedgingPolicy(delay: .fixed(delay))
        policy.attempts = attempts
        return HedgedCall(policy, at: start)
    }

    @Test func aSecondAttemptIsMadeWhenTheFirstIsSlow() {
        var call = call(2)
        #expect(call.next(at: start) == .send)
        #expect(call.next(at: start) == .wait(until: start + .milliseconds(10)))
        #expect(call.next(at: start + .milliseconds(10)) == .send)
        #expect(call.next(at: start + .seconds(1)) == .waitForAttempts)
        #expect(call.underway == 2)
        call.ended(.answered, at: start + .seconds(1))
        #expect(call.next(at: start + .seconds(1)) == .finish)
    }

    @Test func aFailureCallsForTheNextAttemptAtOnce() {
        var call = call(3)
        #expect(call.next(at: start) == .send)
        call.ended(.failed, at: start + .milliseconds(1))
        #expect(call.next(at: start + .milliseconds(1)) == .send)
        // From there the delay counts anew.
        #expect(call.next(at: start + .milliseconds(10)) == .wait(until: start + .milliseconds(11)))
        #expect(call.next(at: start + .milliseconds(11)) == .send)
        call.ended(.failed, at: start + .milliseconds(12))
        #expect(call.next(at: start + .milliseconds(12)) == .waitForAttempts)
        call.ended(.failed, at: start + .milliseconds(13))
        #expect(call.next(at: start + .milliseconds(13)) == .finish)
        #expect(call.attempts == 3)
    }

    @Test func aFinalFailureEndsTheCall() {
        var call = call(3)
        _ = call.next(at: start)
        call.ended(.failedForGood, at: start)
        #expect(call.next(at: start + .seconds(1)) == .finish)
    }

    @Test func aRefusalEndsFurtherAttemptsOnly() {
        var call = call(3)
        _ = call.next(at: start)
        #expect(call.next(at: start + .milliseconds(10)) == .send)
        call.ended(.refused, at: start + .milliseconds(11))
        #expect(call.next(at: start + .seconds(1)) == .waitForAttempts)
        call.ended(.failed, at: start + .seconds(1))
        #expect(call.next(at: start + .seconds(1)) == .finish)
    }

    @Test func aSpentBudgetForbidsHedgesButNotTheFirstAttempt() {
        let budget = RetryBudget(share: 0, minimumPerSecond: 0)
        var call = call(3)
        #expect(call.next(at: start, budget: budget) == .send)
        #expect(call.next(at: start + .seconds(1), budget: budget) == .waitForAttempts)
        #expect(call.next(at: start + .seconds(2), budget: budget) == .waitForAttempts)
        #expect(budget.refusals == 1)
    }

    @Test func attemptsAreClamped() {
        for (wanted, made) in [(-3, 1), (0, 1), (100, 5)] {
            var call = call(wanted, delay: .zero)
            var count = 0
            while call.next(at: start) == .send { count += 1 }
            #expect(count == made)
        }
    }

    @Test func theDelayFollowsTheQuantileOnceItIsKnown() {
        let policy = HedgingPolicy(delay: .quantile(0.9, atLeast: .milliseconds(5)))
        var latencies = LatencyHistogram()
        #expect(policy.delay(latencies) == .milliseconds(5))
        for number in 1...1000 { latencies.record(.microseconds(number * 100)) }
        let delay = policy.delay(latencies)
        #expect(delay >= .milliseconds(90) && delay <= .milliseconds(90) * 1.125, "\(delay)")
        for _ in 0..<20_000 { latencies.record(.microseconds(10)) }
        #expect(policy.delay(latencies) == .milliseconds(5))
    }

    @Test func quantilesAreAtMostAnEighthTooHigh() {
        var random = SeededRandom(seed: 5)
        for _ in 0..<2000 {
            let nanoseconds =
                Int64.random(in: 1000...3_600_000_000_000, using: &random)
                >> Int64.random(in: 0...30, using: &random)
            var histogram = LatencyHistogram()
            histogram.record(.nanoseconds(nanoseconds))
            let latency = max(Duration.nanoseconds(nanoseconds), .microseconds(1))
            let quantile = histogram.quantile(0.5, minimum: 1) ?? .zero
            #expect(quantile >= latency, "\(latency)")
            #expect(quantile <= latency * 1.1251, "\(latency) \(quantile)")
        }
        var extreme = LatencyHistogram()
        for latency in [Duration.zero, .seconds(-1), .seconds(Int64.max)] {
            extreme.record(latency)
        }
        #expect(extreme.total == 3)
        #expect(LatencyHistogram().quantile(0.5, minimum: 0) == nil)
    }
}
