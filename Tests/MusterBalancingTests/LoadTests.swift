import MusterBalancing
import Testing

@Suite struct LeastRequestTests {
    @Test func aHundredCallsInFlightAreSpreadEvenly() throws {
        // The goal of client-sdks §D3: max/mean at most 1.1 at 100 in flight per instance.
        let balancer = balancer(.leastRequest(), weights: [UInt32](repeating: 1, count: 10))
        var held = Held()
        for _ in 0..<1000 { held.hold(try balancer.pick()) }
        var counts = held.counts(instances: 10)
        #expect((counts.max() ?? 0) <= 110, "\(counts)")
        for _ in 0..<5000 {
            held.releaseFirst()
            held.hold(try balancer.pick())
        }
        counts = held.counts(instances: 10)
        #expect((counts.max() ?? 0) <= 110, "\(counts)")
        held.release()
        #expect(balancer.status.inFlight == 0)
    }

    @Test func loadIsMeasuredByWeight() throws {
        let balancer = balancer(.leastRequest(), weights: [1, 2, 3, 4])
        var held = Held()
        for _ in 0..<1000 { held.hold(try balancer.pick()) }
        let counts = held.counts(instances: 4)
        for (count, due) in zip(counts, [100, 200, 300, 400]) {
            #expect(abs(count - due) <= due / 10, "\(counts)")
        }
    }

    @Test func idleInstancesArePickedAtRandomByWeight() throws {
        let weights: [UInt32] = [1, 2, 3, 4]
        let counts = try balancer(.leastRequest(), weights: weights)
            .counts(picks: 20_000, instances: 4)
        #expect(chiSquare(counts, shares: weights.map(Double.init)) < chiSquareBound(4))
    }

    @Test func theTwoCandidatesAreNeverTheSame() throws {
        // With two instances every pick compares both: the loaded one is never taken.
        let balancer = balancer(.leastRequest(), weights: [1, 1])
        var held = Held()
        held.hold(try balancer.pick())
        let loaded = held.counts(instances: 2)
        for _ in 0..<500 {
            let pick = try balancer.pick()
            #expect(loaded[pick.index] == 0)
            pick.complete(.success)
        }
    }

    @Test func moreChoicesFindTheIdleInstanceSooner() throws {
        let hits = try [2, 10].map { choices in
            let balancer = balancer(
                .leastRequest(choices: choices),
                weights: [UInt32](repeating: 1, count: 20)
            )
            var held = Held()
            for _ in 0..<19 { held.hold(try balancer.pick(.any)) }
            let idle = held.counts(instances: 20).enumerated().filter { $0.element == 0 }
            let idlePositions = Set(idle.map(\.offset))
            var hits = 0
            for _ in 0..<1000 {
                let pick = try balancer.pick()
                if idlePositions.contains(pick.index) { hits += 1 }
            }
            return Double(hits) / Double(max(1, idlePositions.count))
        }
        #expect(hits[1] > hits[0] * 1.5, "\(hits)")
    }

    @Test func aPickMayOutliveItsBalancerAndItsInstance() throws {
        var balancer: Balancer? = balancer(.leastRequest(), weights: [1, 1, 1])
        var held = Held()
        for _ in 0..<9 { held.hold(try #require(balancer).pick()) }
        balancer?.update(snapshot(instances(weights: [1]), generation: 2))
        #expect(balancer?.status.inFlight == 3)
        balancer = nil
        held.release()
    }

    @Test func callsInFlightStayWithTheirInstanceAcrossSnapshots() throws {
        let list = instances(weights: [1, 1, 1])
        let balancer = balancer(.leastRequest(), weights: [])
        balancer.update(snapshot([list[1], list[2]]))
        var held = Held()
        for _ in 0..<10 { held.hold(try balancer.pick()) }
        balancer.update(snapshot(list, generation: 2))
        #expect(balancer.status.inFlight == 10)
        // The new one is idle, and drawn as one of two in two thirds of all draws.
        var fresh = 0
        for _ in 0..<300 {
            let pick = try balancer.pick()
            if pick.index == 0 { fresh += 1 }
        }
        #expect(fresh > 150, "\(fresh)")
        held.release()
        #expect(balancer.status.inFlight == 0)
    }
}

@Suite struct PeakEWMATests {
    private let start = ContinuousClock.now

    private func call(
        _ balancer: Balancer,
        at moment: Duration,
        latency: (Int) -> Duration,
        outcome: (Int) -> CallOutcome = { _ in .success }
    ) throws -> Int {
        let pick = try balancer.pick(.any, at: start + moment)
        let index = pick.index
        pick.complete(outcome(index), latency: latency(index), at: start + moment)
        return index
    }

    @Test func theSlowInstanceGetsFewCalls() throws {
        let balancer = balancer(.peakEWMA(), weights: [1, 1, 1, 1])
        var counts = [0, 0, 0, 0]
        for number in 0..<4000 {
            let index = try call(balancer, at: .milliseconds(number)) {
                $0 == 2 ? .milliseconds(100) : .milliseconds(5)
            }
            counts[index] += 1
        }
        #expect(counts[2] < 20, "\(counts)")
        #expect(counts[2] >= 1)
    }

    @Test func anInstanceThatRecoversIsTriedAgain() throws {
        let balancer = balancer(.peakEWMA(decay: .seconds(1)), weights: [1, 1])
        for number in 0..<100 {
            _ = try call(balancer, at: .milliseconds(number)) {
                $0 == 0 ? .seconds(1) : .milliseconds(5)
            }
        }
        var late = [0, 0]
        for number in 0..<2000 {
            late[try call(balancer, at: .milliseconds(8000 + number)) { _ in .milliseconds(5) }] +=
                1
        }
        // It is tried whenever its memory has decayed to the other's, and its mean falls each time.
        #expect(late[0] > 40, "\(late)")
    }

    @Test func failingFastIsNotBeingFast() throws {
        let balancer = balancer(.peakEWMA(), weights: [1, 1, 1])
        var counts = [0, 0, 0]
        for number in 0..<2000 {
            let index = try call(
                balancer,
                at: .milliseconds(number),
                latency: { $0 == 1 ? .microseconds(50) : .milliseconds(20) },
                outcome: { $0 == 1 ? .failure : .success }
            )
            counts[index] += 1
        }
        #expect(counts[1] < 20, "\(counts)")
    }

    @Test func anInstanceOfUnknownLatencyGetsOneCallAtATime() throws {
        let list = instances(weights: [1, 1, 1])
        let balancer = balancer(.peakEWMA(), weights: [])
        balancer.update(snapshot(Array(list.dropFirst())))
        for number in 0..<100 {
            _ = try call(balancer, at: .milliseconds(number)) { _ in .milliseconds(5) }
        }
        balancer.update(snapshot(list, generation: 2))
        var held = Held()
        for _ in 0..<200 { held.hold(try balancer.pick(.any, at: start + .milliseconds(100))) }
        #expect(held.counts(instances: 3)[0] == 1)
    }

    @Test func cancelledCallsSayNothingAboutLatency() throws {
        let balancer = balancer(.peakEWMA(), weights: [1, 1])
        for number in 0..<100 {
            _ = try call(balancer, at: .milliseconds(number)) { _ in .milliseconds(5) }
        }
        for _ in 0..<100 {
            _ = try call(
                balancer,
                at: .milliseconds(100),
                latency: { _ in .seconds(100) },
                outcome: { _ in .cancelled }
            )
        }
        var counts = [0, 0]
        for number in 0..<1000 {
            counts[try call(balancer, at: .milliseconds(100 + number)) { _ in .milliseconds(5) }] +=
                1
        }
        #expect(counts.allSatisfy { $0 > 300 }, "\(counts)")
    }
}

@Suite struct CustomPickerTests {
    /// Takes the last instance that is not avoided, none for key 0.
    private struct Last: InstancePicker {
        let context: PickerContext

        func pick(_ request: PickRequest) -> Int? {
            guard request.hash != 0 else { return nil }
            if request.hash == 1 { return 1_000_000 }
            return context.instances.lastIndex { !request.avoiding.contains($0.endpoint) }
        }
    }

    @Test func aPickerOfOnesOwnDecides() throws {
        let balancer = balancer(.custom("last") { Last(context: $0) }, weights: [1, 1, 0, 1])
        #expect(balancer.policy.description == "last")
        #expect(try balancer.pick().index == 3)
        let last = try balancer.pick().endpoint
        #expect(try balancer.pick(PickRequest(avoiding: last)).index == 1)
    }

    @Test func aPickerThatRefusesOrErrsGivesAnError() {
        let balancer = balancer(.custom("last") { Last(context: $0) }, weights: [1])
        for hash in [0, 1] as [UInt64] {
            #expect(throws: BalancingError(code: .refused)) {
                _ = try balancer.pick(PickRequest(hash: hash))
            }
        }
        balancer.update(snapshot([]))
        #expect(throws: BalancingError(code: .noInstances)) { _ = try balancer.pick() }
    }

    /// Takes the instance with the fewest calls in flight.
    private struct Idlest: InstancePicker {
        let context: PickerContext

        func pick(_ request: PickRequest) -> Int? {
            context.instances.indices.min { context.inFlight($0) < context.inFlight($1) }
        }
    }

    @Test func aPickerSeesCallsInFlight() throws {
        let balancer = balancer(.custom("idlest") { Idlest(context: $0) }, weights: [1, 1, 1])
        var held = Held()
        for _ in 0..<9 { held.hold(try balancer.pick()) }
        #expect(held.counts(instances: 3) == [3, 3, 3])
    }
}
