import MusterAPI
import MusterBalancing
import Testing

@testable import MusterDiscovery

/// Ten thousand clients of a registry that is restarted, on a virtual clock.
@Suite struct HerdTests {
    /// The registry's life as the clients see it, from the moment it dies.
    private struct Registry {
        let down: Duration
        /// How long after its return it has not heard of any instance yet.
        let forgetful = Duration.seconds(1)
        let latency = Duration.milliseconds(1)
        let list = instances(1, 2, 3)

        /// What becomes of a query: when, and the list and index of the answer, nil for a failure.
        func outcome(
            of ask: WatchCore.Ask,
            at moment: Duration
        ) -> (at: Duration, answer: (list: [Instance], index: UInt64)?) {
            guard moment >= down else { return (moment + latency, nil) }
            let filled = down + forgetful
            guard moment < filled else {
                let blocks = ask.index == 2
                return (moment + (blocks ? ask.wait : latency), (list, 2))
            }
            guard ask.index == nil else { return (filled + latency, (list, 2)) }
            return (moment + latency, ([], 1))
        }
    }

    /// What one client went through.
    private struct Story {
        var asked: [Duration] = []
        /// When it had the registry's own list again.
        var fresh: Duration?
        var picks = 0
        var failedPicks = 0
    }

    /// Lives through the restart: all clients are independent, so one after the other will do.
    private func live(
        _ registry: Registry,
        seed: UInt64,
        until end: Duration,
        balancer: Balancer
    ) -> Story {
        let start = ContinuousClock.now
        var core = WatchCore(query: "web", seed: seed, now: start - .seconds(60))
        var story = Story()
        _ = core.asks(now: start - .seconds(60))
        let known = SourceCore.Answer(content: .instances(registry.list), index: 900)
        core.handle(.answered(source: 0, known), now: start - .seconds(60))
        _ = core.asks(now: start - .seconds(50))
        if let first = core.snapshot(now: start - .seconds(50)) { balancer.update(first) }
        // The blocked query breaks off when the registry dies.
        var pending: (at: Duration, event: WatchCore.Event)? =
            (.zero, .failed(source: 0, keepsIndex: false))
        while let (moment, event) = pending, moment < end {
            let now = start + moment
            core.handle(event, now: now)
            pending = nil
            var turn = moment
            var asks = core.asks(now: now)
            while asks.isEmpty, let deadline = core.deadline(now: start + turn) {
                turn = start.duration(to: deadline)
                asks = core.asks(now: deadline)
            }
            if let snapshot = core.snapshot(now: now) {
                balancer.update(snapshot)
                if case .live = snapshot.origin, story.fresh == nil { story.fresh = moment }
            }
            story.picks += 1
            // A pick that fails is what is counted.
            if (try? balancer.pick()) == nil { story.failedPicks += 1 }
            guard let ask = asks.first else { break }
            story.asked.append(turn)
            let (at, answer) = registry.outcome(of: ask, at: turn)
            guard let answer else {
                pending = (at, .failed(source: 0, keepsIndex: false))
                continue
            }
            let content = SourceCore.Content.instances(answer.list)
            let event = SourceCore.Answer(content: content, index: answer.index)
            pending = (at, .answered(source: 0, event))
        }
        return story
    }

    @Test(arguments: [(Duration.seconds(5), 10_000), (.seconds(1), 2000), (.seconds(60), 2000)])
    func afterARestartAllAreFreshWithinTenSecondsAndNobodyAsksMoreThanTwicePerSecond(
        down: Duration,
        count: Int
    ) throws {
        let registry = Registry(down: down)
        let balancer = Balancer()
        let stories = (0..<count).map { number in
            live(
                registry,
                seed: UInt64(number) &* 7919 &+ 1,
                until: down + .seconds(15),
                balancer: balancer
            )
        }
        let fresh = stories.compactMap { $0.fresh.map { $0 - down } }.sorted()
        #expect(fresh.count == count)
        #expect(try #require(fresh.last) <= .seconds(10))
        let closest = stories.flatMap { story in
            zip(story.asked, story.asked.dropFirst(2)).map { $1 - $0 }
        }.min()
        #expect(try #require(closest) >= .seconds(1))
        #expect(stories.reduce(0) { $0 + $1.failedPicks } == 0)
        #expect(stories.allSatisfy { $0.picks > 2 })
        var tenths: [Int: Int] = [:]
        for moment in stories.flatMap(\.asked) where moment >= down {
            tenths[Int((moment - down) / .milliseconds(100)), default: 0] += 1
        }
        let busiest = tenths.values.max() ?? 0
        // Without spreading, all would ask in the same tenth of a second.
        #expect(busiest < count * 2 / 5)
        print(
            "herd of \(count), registry away \(down): fresh p50 \(fresh[count / 2]),",
            "last \(fresh[count - 1]); busiest 100 ms: \(busiest) requests; 0 failed picks"
        )
    }
}
