import Testing

@testable import MusterCoordination

@Suite struct SessionCoreTests {
    private let start = ContinuousClock.now
    private let ttl = Duration.seconds(15)

    @Test func aSessionIsRenewedAtHalfItsTTL() {
        let core = SessionCore(ttl: ttl, sent: start)
        let due = start + .milliseconds(7500)
        #expect(core.next(now: start) == .sleep(until: due))
        #expect(core.next(now: due) == .renew(limit: .milliseconds(3750)))
    }

    @Test func afterAnErrorItIsRenewedASecondLaterUntilTheTTLSinceTheLastSuccessIsOver() {
        var core = SessionCore(ttl: ttl, sent: start)
        var now = start + .milliseconds(7500)
        var attempts = 0
        while case .renew = core.next(now: now) {
            attempts += 1
            core.failed(now: now)
            guard case .sleep(let until) = core.next(now: now) else { break }
            #expect(until == min(now + .seconds(1), start + ttl))
            now = until
        }
        #expect(attempts == 8)
        #expect(now == start + ttl)
        #expect(core.next(now: now) == .expired)
    }

    @Test func timeCountsFromWhenARenewalWasSentNotFromWhenItWasAnswered() {
        var core = SessionCore(ttl: ttl, sent: start)
        let sent = start + .milliseconds(7500)
        core.renewed(sent: sent, ttl: .zero)
        #expect(core.deadline == sent + ttl)
    }

    @Test func anAnswerThatComesAfterItsOwnTTLIsTooLate() {
        var core = SessionCore(ttl: ttl, sent: start)
        core.renewed(sent: start + .milliseconds(7500), ttl: ttl)
        #expect(core.next(now: start + .seconds(23)) == .expired)
    }

    @Test func aTTLThatTheRegistryLengthenedIsUsed() {
        var core = SessionCore(ttl: ttl, sent: start)
        core.renewed(sent: start, ttl: .seconds(40))
        #expect(core.next(now: start) == .sleep(until: start + .seconds(20)))
        #expect(core.deadline == start + .seconds(40))
    }

    @Test func anAttemptIsNotWaitedForLongerThanTheSessionCounts() {
        let core = SessionCore(ttl: ttl, sent: start)
        #expect(core.next(now: start + .seconds(14)) == .renew(limit: .seconds(1)))
    }

    @Test func aMachineThatSleptLongerThanTheTTLHasLostTheSession() {
        let core = SessionCore(ttl: ttl, sent: start)
        #expect(core.next(now: start + .seconds(3600)) == .expired)
    }
}
