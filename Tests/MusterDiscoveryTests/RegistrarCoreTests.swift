import MusterBalancing
import Testing

@testable import MusterDiscovery

@Suite struct RegistrarCoreTests {
    private let start = ContinuousClock.now
    private let ttl = Duration.seconds(15)

    private func registered() -> RegistrarCore {
        var core = RegistrarCore(period: ttl, seed: 1)
        core.registered(now: start, maintenance: false)
        return core
    }

    private func expect(
        _ core: RegistrarCore,
        at now: ContinuousClock.Instant
    ) -> RegistrarCore.Step {
        core.next(now: now)
    }

    @Test func theFirstBeatFollowsTheRegistrationAtOnce() {
        #expect(expect(RegistrarCore(period: ttl, seed: 1), at: start) == .register)
        #expect(expect(registered(), at: start) == .beat)
    }

    @Test func beatsComeAfterAThirdOfTheTTLGiveOrTakeATenth() {
        var core = registered()
        var now = start
        var waits: Set<Duration> = []
        for _ in 0..<200 {
            core.beaten(sent: now)
            guard case .wait(let until) = core.next(now: now) else {
                Issue.record("no wait after a beat")
                return
            }
            let wait = now.duration(to: until)
            #expect(wait >= .milliseconds(4500) && wait <= .milliseconds(5500))
            waits.insert(wait)
            now = until
            #expect(expect(core, at: now) == .beat)
        }
        #expect(waits.count > 150)
    }

    @Test func aLostBeatIsRepeatedAfterASecondLongBeforeTheTTL() {
        var core = registered()
        core.beaten(sent: start)
        let now = start + .seconds(5)
        core.beatFailed(now: now)
        #expect(expect(core, at: now) == .wait(until: now + .seconds(1)))
        #expect(expect(core, at: now + .seconds(1)) == .beat)
    }

    @Test func afterASuspensionLongerThanTheTTLTheBeatIsDueAtOnce() {
        var core = registered()
        core.beaten(sent: start)
        #expect(expect(core, at: start + .seconds(3600)) == .beat)
    }

    @Test func anAgentThatForgotIsToldAgainAtOnceButNotFlooded() {
        var core = registered()
        core.unknown(now: start)
        #expect(expect(core, at: start) == .register)
        core.registered(now: start, maintenance: false)
        var waited = 0
        for _ in 0..<20 {
            core.unknown(now: start)
            if case .wait = core.next(now: start) { waited += 1 }
        }
        #expect(waited == 20)
    }

    @Test func otherFailuresOfABeatNeverRegisterAgain() {
        var core = registered()
        var now = start
        for _ in 0..<50 {
            core.beatFailed(now: now)
            if case .wait(let until) = core.next(now: now) { now = until }
            #expect(expect(core, at: now) == .beat)
        }
    }

    @Test func maintenanceIsSetAgainAfterEveryRegistration() {
        var core = registered()
        core.beaten(sent: start)
        core.maintenanceChanged()
        #expect(expect(core, at: start) == .maintain)
        core.maintained()
        core.unknown(now: start)
        core.registered(now: start, maintenance: true)
        #expect(expect(core, at: start) == .maintain)
    }

    @Test func aChangeIsSentAtOnceEvenWhileWaitingAfterAFailure() {
        var core = RegistrarCore(period: ttl, seed: 1)
        core.failed(now: start)
        core.changed()
        #expect(expect(core, at: start) == .register)
    }

    /// The agent's side of a TTL check: whether it was ever critical under a pattern of losses.
    ///
    /// A lost beat hangs as long as it may: the worst way to lose it.
    private func turnsCritical(
        over duration: Duration,
        seed: UInt64,
        isLost: (Int) -> Bool
    ) -> Bool {
        var core = RegistrarCore(period: ttl, seed: seed)
        core.registered(now: start, maintenance: false)
        var now = start
        var agentHeard = start
        var number = 0
        while now < start + duration {
            switch core.next(now: now) {
            case .wait(let until): now = until
            case .beat:
                let sent = now
                number += 1
                if isLost(number) {
                    now += core.beatLimit
                    core.beatFailed(now: now)
                } else {
                    if agentHeard.duration(to: now) >= ttl { return true }
                    agentHeard = now
                    core.beaten(sent: sent)
                }
            case .register, .maintain:
                Issue.record("nothing but beats was due")
                return true
            }
        }
        return agentHeard.duration(to: now) >= ttl
    }

    @Test(arguments: 1...20)
    func oneLostBeatOfThreeNeverTurnsTheCheckCritical(seed: UInt64) {
        #expect(!turnsCritical(over: .seconds(24 * 3600), seed: seed) { $0 % 3 == 0 })
    }

    @Test(arguments: 1...20)
    func twoLostBeatsInARowNeverTurnTheCheckCritical(seed: UInt64) {
        #expect(!turnsCritical(over: .seconds(24 * 3600), seed: seed) { $0 % 3 != 0 })
    }

    @Test func aDayWithOneRequestOfAHundredLostMissesNoTTL() {
        for seed in 1...10 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            let missed = turnsCritical(over: .seconds(24 * 3600), seed: seed) { _ in
                random.nextUnit() < 0.01
            }
            #expect(!missed)
        }
    }

    @Test func fourLostBeatsInARowDoTurnTheCheckCritical() {
        #expect(turnsCritical(over: .seconds(3600), seed: 1) { $0 % 5 != 0 })
    }

    @Test func aRefusedChangeLeavesTheInstanceRegistered() {
        var core = registered()
        core.beaten(sent: start)
        core.changed()
        #expect(expect(core, at: start) == .register)
        core.changeRefused()
        guard case .wait = core.next(now: start) else {
            Issue.record("something is due although the old registration stands")
            return
        }
    }
}
