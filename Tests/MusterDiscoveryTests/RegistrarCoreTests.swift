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
            core.beaten(now: now)
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
        core.beaten(now: start)
        let now = start + .seconds(5)
        core.beatFailed(now: now)
        #expect(expect(core, at: now) == .wait(until: now + .seconds(1)))
        #expect(expect(core, at: now + .seconds(1)) == .beat)
    }

    @Test func afterASuspensionLongerThanTheTTLTheBeatIsDueAtOnce() {
        var core = registered()
        core.beaten(now: start)
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
        core.beaten(now: start)
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
}
