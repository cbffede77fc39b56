import LocalState
import Model
import Testing

@Suite struct SyncTests {
    private func view(of fixture: Fixture) -> CatalogView {
        CatalogView(
            node: fixture.state.configuration.node,
            services: fixture.state.services.map(\.service),
            checks: fixture.state.checks.map(\.check)
        )
    }

    private func registrations(_ steps: [SyncStep]) -> [RegisterCommand] {
        steps.compactMap { if case .register(let command) = $0.command { command } else { nil } }
    }

    @Test func aServiceTravelsWithItsChecksInOneWrite() throws {
        var fixture = Fixture()
        try fixture.register(service("web", ttl: 10))
        let steps = registrations(fixture.sync())
        #expect(steps.count == 1)
        #expect(steps.first?.service?.name == "web")
        #expect(steps.first?.checks.map(\.id) == ["service:web"])
        #expect(steps.first?.skipNodeUpdate == false)
        try fixture.register(service("db"))
        #expect(registrations(fixture.sync()).first?.skipNodeUpdate == true)
        #expect(!fixture.state.needsSync)
    }

    @Test func theSameRegistrationAgainWritesNothing() throws {
        var fixture = Fixture()
        try fixture.register(service("web", ttl: 10))
        fixture.sync()
        try fixture.register(service("web", ttl: 10))
        #expect(fixture.sync().isEmpty)
    }

    @Test func aNewStatusIsSentAtOnceAndANewOutputLater() throws {
        var fixture = Fixture()
        try fixture.register(check: ttlCheck("beat", seconds: 10_000))
        fixture.sync()
        try fixture.setTTL("beat", .passing, "one")
        #expect(fixture.sync().count == 1)
        try fixture.setTTL("beat", .passing, "two")
        #expect(fixture.sync().isEmpty)
        fixture.pass(seconds: 149)
        #expect(fixture.sync().isEmpty)
        fixture.pass(seconds: 302)
        let sent = registrations(fixture.sync())
        #expect(sent.first?.checks.first?.output == "two")
    }

    @Test func outputsAreSentAtOnceWhenNothingDefersThem() throws {
        var fixture = Fixture { $0.outputUpdateInterval = .zero }
        try fixture.register(check: ttlCheck("beat", seconds: 100))
        try fixture.setTTL("beat", .passing, "one")
        fixture.sync()
        try fixture.setTTL("beat", .passing, "two")
        #expect(registrations(fixture.sync()).first?.checks.first?.output == "two")
    }

    @Test func aChangeDuringAWriteIsWrittenAfterIt() throws {
        var fixture = Fixture()
        try fixture.register(check: ttlCheck("beat", seconds: 100))
        let first = fixture.state.nextSync()
        #expect(fixture.state.nextSync().isEmpty)
        try fixture.setTTL("beat", .passing)
        for step in first { fixture.state.completed(step, succeeded: true) }
        let second = registrations(fixture.sync())
        #expect(second.first?.checks.first?.status == .passing)
    }

    @Test func aFailedWriteIsPlannedAgain() throws {
        var fixture = Fixture()
        try fixture.register(service("web"))
        for step in fixture.state.nextSync() { fixture.state.completed(step, succeeded: false) }
        #expect(fixture.state.needsSync)
        #expect(registrations(fixture.state.nextSync()).first?.service?.name == "web")
    }

    @Test func removingAServiceIsOneWriteForItAndItsChecks() throws {
        var fixture = Fixture()
        try fixture.register(service("web", ttl: 10))
        fixture.sync()
        var effects = LocalEffects()
        try fixture.state.deregisterService("web", now: fixture.now, into: &effects)
        let steps = fixture.sync()
        #expect(steps.count == 1)
        guard case .deregister(let command)? = steps.first?.command else {
            Issue.record("expected a deregistration")
            return
        }
        #expect(command.serviceID == "web")
        #expect(!fixture.state.needsSync)
    }

    @Test func whatTheCatalogLostIsWrittenAgainAndCounted() throws {
        var fixture = Fixture()
        try fixture.register(service("web", ttl: 10))
        fixture.sync()
        fixture.state.reconcile(with: CatalogView(node: nil, services: [], checks: []))
        #expect(fixture.state.driftCount == 3)
        let steps = registrations(fixture.sync())
        #expect(steps.first?.service?.name == "web")
        #expect(steps.first?.checks.count == 1)
    }

    @Test func whatOnlyTheCatalogHasIsRemovedExceptWhatServersKeep() {
        var fixture = Fixture()
        fixture.sync()
        var stray = CatalogService()
        stray.id = "stray"
        stray.name = "stray"
        var server = CatalogService()
        server.id = "consul"
        server.name = "consul"
        var gossip = HealthCheck()
        gossip.id = "serfHealth"
        var lost = HealthCheck()
        lost.id = "lost"
        fixture.state.reconcile(
            with: CatalogView(
                node: fixture.state.configuration.node,
                services: [stray, server],
                checks: [gossip, lost]
            )
        )
        let removed = fixture.sync().compactMap { step -> String? in
            guard case .deregister(let command) = step.command else { return nil }
            return command.serviceID + command.checkID
        }
        #expect(removed == ["stray", "lost"])
        #expect(fixture.state.services.isEmpty)
    }

    @Test func aCatalogThatAgreesNeedsNoWrite() throws {
        var fixture = Fixture()
        try fixture.register(service("web", ttl: 10))
        fixture.state.reconcile(with: view(of: fixture))
        #expect(fixture.sync().isEmpty)
        #expect(fixture.state.driftCount == 0)
    }

    @Test func tagsOfTheCatalogWinWhereTheyMayBeOverridden() throws {
        var fixture = Fixture()
        var registration = service("web")
        registration.tags = ["mine"]
        registration.enableTagOverride = true
        try fixture.register(registration)
        fixture.sync()
        var catalog = view(of: fixture)
        catalog.services[0].tags = ["theirs"]
        fixture.state.reconcile(with: catalog)
        #expect(fixture.state.service("web")?.service.tags == ["theirs"])
        #expect(fixture.sync().isEmpty)
    }
}
