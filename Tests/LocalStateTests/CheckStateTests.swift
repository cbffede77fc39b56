import LocalState
import Model
import Testing

@Suite struct CheckStateTests {
    @Test func aTTLCheckTurnsCriticalWhenItsOwnerIsSilent() throws {
        var fixture = Fixture()
        try fixture.register(service("web", ttl: 10))
        try fixture.setTTL("service:web", .passing, "fine")
        fixture.pass(seconds: 9)
        #expect(fixture.status("service:web") == .passing)
        fixture.pass(seconds: 2)
        #expect(fixture.status("service:web") == .critical)
        #expect(
            fixture.output("service:web")
                == "TTL expired (last output before timeout follows): fine"
        )
        #expect(fixture.effects.syncWanted)
    }

    @Test func aTTLCheckThatNeverReportedSaysOnlyThatItExpired() throws {
        var fixture = Fixture()
        try fixture.register(check: ttlCheck("beat", seconds: 1))
        fixture.pass(seconds: 1)
        #expect(fixture.output("beat") == "TTL expired")
    }

    @Test func everyReportMovesTheExpiry() throws {
        var fixture = Fixture()
        try fixture.register(service("web", ttl: 10))
        for _ in 0..<20 {
            try fixture.setTTL("service:web", .passing)
            fixture.pass(seconds: 8)
            #expect(fixture.status("service:web") == .passing)
        }
    }

    @Test func onlyTTLChecksTakeReports() throws {
        var fixture = Fixture()
        try fixture.register(check: httpCheck("probe"))
        for id in ["probe", "nobody", ""] {
            let error = refusal { () throws(RegistrationError) in
                try fixture.setTTL(id, .passing)
            }
            #expect(
                error
                    == RegistrationError(.failed, "CheckID \"\(id)\" does not have associated TTL")
            )
        }
    }

    @Test func thresholdsHoldTheStatusUntilEnoughVerdictsAgree() throws {
        var fixture = Fixture()
        var check = httpCheck("probe")
        check.status = "passing"
        check.failuresBeforeCritical = 3
        check.successBeforePassing = 2
        try fixture.register(check: check)
        fixture.report("probe", .critical)
        fixture.report("probe", .critical)
        #expect(fixture.status("probe") == .passing)
        fixture.report("probe", .critical)
        #expect(fixture.status("probe") == .critical)
        fixture.report("probe", .passing)
        #expect(fixture.status("probe") == .critical)
        fixture.report("probe", .passing)
        #expect(fixture.status("probe") == .passing)
    }

    @Test func aLongOutputIsCutWithARemark() throws {
        var fixture = Fixture()
        var check = ttlCheck("beat", seconds: 10)
        check.outputMaxSize = 10
        try fixture.register(check: check)
        try fixture.setTTL("beat", .passing, String(repeating: "x", count: 25))
        #expect(fixture.output("beat") == "xxxxxxxxxx ... (captured 10 of 25 bytes)")
    }

    @Test func aServiceThatIsCriticalForTooLongIsRemovedWithItsChecks() throws {
        var fixture = Fixture()
        var registration = service("web", ttl: 10)
        registration.checks[0].deregisterCriticalServiceAfter = .seconds(90)
        try fixture.register(registration)
        try fixture.setTTL("service:web", .passing)
        fixture.pass(seconds: 10)
        #expect(fixture.status("service:web") == .critical)
        fixture.pass(seconds: 89)
        #expect(fixture.state.service("web") != nil)
        fixture.pass(seconds: 2)
        #expect(fixture.state.service("web") == nil)
        #expect(fixture.state.check("service:web") == nil)
        #expect(fixture.effects.persist.contains(.removeService(id: "web")))
    }

    @Test func aRecoveryEndsTheCountTowardsRemoval() throws {
        var fixture = Fixture()
        var registration = service("web", ttl: 100)
        registration.checks[0].deregisterCriticalServiceAfter = .seconds(60)
        try fixture.register(registration)
        fixture.pass(seconds: 50)
        try fixture.setTTL("service:web", .passing)
        fixture.pass(seconds: 50)
        #expect(fixture.state.service("web") != nil)
    }

    @Test func theRemovalDelayHasALeastValue() throws {
        var fixture = Fixture()
        var registration = service("web", ttl: 1000)
        registration.checks[0].deregisterCriticalServiceAfter = .seconds(1)
        try fixture.register(registration)
        fixture.pass(seconds: 59)
        #expect(fixture.state.service("web") != nil)
        fixture.pass(seconds: 1)
        #expect(fixture.state.service("web") == nil)
    }

    @Test func registeringAServiceAgainKeepsTheStatusOfItsChecks() throws {
        var fixture = Fixture()
        try fixture.register(service("web", ttl: 10))
        try fixture.setTTL("service:web", .passing, "fine")
        try fixture.register(service("web", port: 81, ttl: 10))
        #expect(fixture.status("service:web") == .passing)
        #expect(fixture.output("service:web") == "fine")
    }

    @Test func registeringACheckAgainOnItsOwnStartsItAnew() throws {
        var fixture = Fixture()
        try fixture.register(check: ttlCheck("beat", seconds: 10))
        try fixture.setTTL("beat", .passing)
        try fixture.register(check: ttlCheck("beat", seconds: 10))
        #expect(fixture.status("beat") == .critical)
    }

    @Test func anAliasFollowsTheWorstCheckOfItsService() throws {
        var fixture = Fixture()
        try fixture.register(service("web", ttl: 10))
        var alias = CheckRegistration()
        alias.name = "shadow"
        alias.aliasService = "web"
        try fixture.register(service("front"))
        alias.serviceID = "front"
        try fixture.register(check: alias)
        #expect(fixture.status("shadow") == .critical)
        #expect(
            fixture.output("shadow") == "Aliased check \"Service 'web' check\" failing: "
        )
        try fixture.setTTL("service:web", .passing)
        #expect(fixture.status("shadow") == .passing)
        #expect(fixture.output("shadow") == "All checks passing.")
        try fixture.setTTL("service:web", .warning, "slow")
        #expect(fixture.status("shadow") == .warning)
    }

    @Test func anAliasOfAServiceThatIsNotThereIsCritical() throws {
        var fixture = Fixture()
        var alias = CheckRegistration()
        alias.name = "shadow"
        alias.aliasService = "web"
        try fixture.register(check: alias)
        #expect(fixture.status("shadow") == .critical)
        #expect(fixture.output("shadow") == "Service web could not be found on node ")
        try fixture.register(service("web"))
        #expect(fixture.status("shadow") == .passing)
        #expect(fixture.output("shadow") == "No checks found.")
    }

    @Test func manyTTLChecksExpireEachAtItsOwnTime() throws {
        var fixture = Fixture()
        for number in 1...200 {
            try fixture.register(check: ttlCheck("c\(number)", seconds: Int64(number)))
            try fixture.setTTL("c\(number)", .passing)
        }
        for second in 1...200 {
            fixture.pass(seconds: 1)
            let critical = fixture.state.checks.filter { $0.check.status == .critical }.count
            #expect(critical == second)
        }
        #expect(
            fixture.state.nextDeadline == nil
                || fixture.state.nextDeadline ?? fixture.now > fixture.now
        )
    }
}
