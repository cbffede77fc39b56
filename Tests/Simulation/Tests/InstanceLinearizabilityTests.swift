import Model
import Raft
import Simulation
import Testing

/// The search that judges registrations, on histories that a person or a slower search can judge.
struct InstanceLinearizabilityTests {
    private typealias Instance = RegistrySpecification.Instance

    private func call(
        _ id: UInt64,
        _ kind: InstanceCall.Kind,
        from begin: UInt64,
        to end: UInt64?
    ) -> InstanceCall {
        InstanceCall(
            id: id,
            invoked: Instant(nanoseconds: begin),
            returned: end.map { Instant(nanoseconds: $0) },
            kind: kind
        )
    }

    private func seen(_ writer: UInt64) -> InstanceCall.Kind {
        .read(Instance(writer: writer, isPassing: true))
    }

    private func holds(_ calls: [InstanceCall]) -> Bool {
        Linearizability.holds(for: calls, from: nil)
    }

    private let first = InstanceCall.Kind.register(isPassing: true)

    @Test func aReadSeesTheLastRegistration() {
        let story = [call(1, first, from: 0, to: 10), call(2, first, from: 20, to: 30)]
        #expect(holds(story + [call(3, seen(2), from: 40, to: 50)]))
        #expect(!holds(story + [call(3, seen(1), from: 40, to: 50)]))
        #expect(!holds(story + [call(3, .read(nil), from: 40, to: 50)]))
        let critical = InstanceCall.Kind.read(Instance(writer: 2, isPassing: false))
        #expect(!holds(story + [call(3, critical, from: 40, to: 50)]))
    }

    @Test func whatWasDeregisteredDoesNotComeBack() {
        let story = [call(1, first, from: 0, to: 10), call(2, .deregister, from: 20, to: 30)]
        #expect(holds(story + [call(3, .read(nil), from: 40, to: 50)]))
        #expect(!holds(story + [call(3, seen(1), from: 40, to: 50)]))
        // While it is being deregistered both may be seen, but in one order only.
        let early = call(3, seen(1), from: 21, to: 23)
        let late = call(4, .read(nil), from: 24, to: 26)
        #expect(holds(story + [early, late]))
        let back = call(5, seen(1), from: 27, to: 29)
        #expect(!holds(story + [early, late, back]))
    }

    @Test func aRegistrationWithoutAnswerMayTakeEffectLate() {
        let story = [call(1, first, from: 0, to: nil), call(2, .read(nil), from: 20, to: 30)]
        #expect(holds(story + [call(3, seen(1), from: 40, to: 50)]))
        let gone = call(4, .read(nil), from: 60, to: 70)
        #expect(!holds(story + [call(3, seen(1), from: 40, to: 50), gone]))
    }

    /// Random histories of a few calls, against trying every order.
    @Test(arguments: 0..<20)
    func theSearchAgreesWithTryingEveryOrder(seed: Int) {
        var random = RandomSource(seed: UInt64(seed))
        var verdicts = [true: 0, false: 0]
        for _ in 0..<400 {
            let calls = randomCalls(using: &random)
            let verdict = holds(calls)
            #expect(verdict == someOrderExplains(calls))
            verdicts[verdict, default: 0] += 1
        }
        #expect(verdicts.values.allSatisfy { $0 > 20 })
    }

    private func randomCalls(using random: inout RandomSource) -> [InstanceCall] {
        let count = UInt64.random(in: 2...6, using: &random)
        return (1...count).map { id in
            let begin = UInt64.random(in: 0...20, using: &random)
            let end = begin + UInt64.random(in: 0...10, using: &random)
            let writer = UInt64.random(in: 0...count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: return call(id, first, from: begin, to: nil)
            case 1...2: return call(id, first, from: begin, to: end)
            case 3: return call(id, .deregister, from: begin, to: end)
            default: return call(id, writer == 0 ? .read(nil) : seen(writer), from: begin, to: end)
            }
        }
    }

    /// Tries every order of every choice of the calls without answer.
    private func someOrderExplains(_ calls: [InstanceCall]) -> Bool {
        func explains(_ rest: [InstanceCall], _ instance: Instance?) -> Bool {
            if rest.allSatisfy({ $0.returned == nil }) { return true }
            return rest.indices.contains { place in
                let next = rest[place]
                let isTooLate = rest.contains { other in
                    other.returned.map { $0 < next.invoked } ?? false
                }
                guard !isTooLate, let after = next.state(after: instance) else { return false }
                var others = rest
                others.remove(at: place)
                return explains(others, after)
            }
        }
        return explains(calls, nil)
    }
}
