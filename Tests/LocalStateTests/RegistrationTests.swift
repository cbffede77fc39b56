import LocalState
import Model
import Testing

/// Changes that make a registration wrong, each with Consul's text.
private let refusedRegistrations:
    [(text: String, change: @Sendable (inout ServiceRegistration) -> Void)] = [
        ("Missing service name", { $0.name = "" }),
        ("Invalid service address", { $0.address = "0.0.0.0" }),
        (
            "Invalid Weights: Passing must be greater than 0",
            { $0.weights = Weights(passing: -1, warning: 1) }
        ),
        (
            "Invalid Weights: DNS Weight must be between 0 and 65535",
            { $0.weights = Weights(passing: 70_000, warning: 1) }
        ),
        (
            "Invalid Service Meta: Couldn't load metadata pair ('', 'v'): Key cannot be blank",
            { $0.meta = ["": "v"] }
        ),
        (
            "Invalid Service Meta: Couldn't load metadata pair ('a b', 'v'): "
                + "Key contains invalid characters",
            { $0.meta = ["a b": "v"] }
        ),
        (
            "2 errors occurred:\n"
                + "\t* Proxy.DestinationServiceName must be non-empty for Connect proxy "
                + "services\n\t* Port must be set for a Connect proxy\n\n",
            {
                $0.kind = .connectProxy
                $0.port = 0
            }
        ),
        (
            "1 error occurred:\n\t* Port must be non-zero for a mesh-gateway\n\n",
            {
                $0.kind = .meshGateway
                $0.port = 0
            }
        ),
        (
            "Invalid check: Interval and TTL cannot both be specified",
            {
                var check = ttlCheck(seconds: 1)
                check.interval = .seconds(1)
                $0.check = check
            }
        ),
        (
            "Status for checks must 'passing', 'warning', 'critical'",
            {
                var check = ttlCheck(seconds: 1)
                check.status = "foo"
                $0.check = check
            }
        ),
    ]

@Suite struct RegistrationTests {
    @Test func wrongServicesAreRefusedInConsulsWords() {
        for (text, change) in refusedRegistrations {
            var fixture = Fixture()
            var registration = service("web")
            change(&registration)
            let error = refusal { () throws(RegistrationError) in
                try fixture.register(registration)
            }
            #expect(error == RegistrationError(.invalid, text))
            #expect(fixture.state.services.isEmpty)
        }
    }

    @Test func anEmptyCheckIsNoCheck() throws {
        var fixture = Fixture()
        var registration = service("web")
        registration.check = CheckRegistration()
        try fixture.register(registration)
        #expect(fixture.state.checks.isEmpty)
    }

    @Test func checksWithoutNamesAreNamedAfterTheirService() throws {
        var fixture = Fixture()
        var registration = service("web")
        registration.id = "web1"
        registration.checks = [ttlCheck(seconds: 1), httpCheck()]
        try fixture.register(registration)
        #expect(fixture.state.checks.map(\.check.id) == ["service:web1:1", "service:web1:2"])
        #expect(fixture.state.checks.allSatisfy { $0.check.name == "Service 'web' check" })
        #expect(fixture.effects.start.map(\.id) == ["service:web1:2"])
    }

    @Test func scriptsRunOnlyWhereTheyAreAllowed() throws {
        var script = CheckRegistration()
        script.name = "script"
        script.scriptArguments = ["true"]
        script.interval = .seconds(10)
        var forbidding = Fixture()
        let error = refusal { () throws(RegistrationError) in
            try forbidding.register(check: script)
        }
        #expect(
            error?.message
                == "Scripts are disabled on this agent from remote calls; to enable, "
                + "configure 'enable_script_checks' to true"
        )
        var allowing = Fixture { $0.allowsRemoteScripts = true }
        try allowing.register(check: script)
        #expect(allowing.effects.start.map(\.kind) == [.script])
    }

    @Test func replacingChecksRemovesTheOnesNotNamed() throws {
        var fixture = Fixture()
        try fixture.register(service("web", ttl: 10))
        try fixture.register(service("web"))
        #expect(fixture.state.checks.count == 1)
        try fixture.register(service("web"), replacesChecks: true)
        #expect(fixture.state.checks.isEmpty)
    }

    @Test func aSidecarComesAndGoesWithItsService() throws {
        var fixture = Fixture()
        var registration = service("web")
        registration.tags = ["a"]
        var connect = ServiceConnect()
        connect.sidecarService = Box(ServiceRegistration())
        registration.connect = connect
        try fixture.register(registration)
        let sidecar = try #require(fixture.state.service("web-sidecar-proxy")?.service)
        #expect(sidecar.port == 21_000)
        #expect(sidecar.kind == .connectProxy)
        #expect(sidecar.tags == ["a"])
        #expect(sidecar.proxy.localServicePort == 80)
        #expect(
            fixture.state.checks(ofService: sidecar.id).map(\.check.name)
                == ["Connect Sidecar Listening", "Connect Sidecar Aliasing web"]
        )
        #expect(fixture.state.service("web")?.service.connect.sidecarService == nil)
        try fixture.register(registration)
        #expect(fixture.state.service("web-sidecar-proxy")?.service.port == 21_000)
        var effects = LocalEffects()
        try fixture.state.deregisterService("web", now: fixture.now, into: &effects)
        #expect(fixture.state.services.isEmpty)
        #expect(fixture.state.checks.isEmpty)
    }

    @Test func sidecarsStopWhenThePortsAreUsedUp() throws {
        var fixture = Fixture { $0.sidecarPorts = PortRange(lowest: 21_000, highest: 21_000) }
        var connect = ServiceConnect()
        connect.sidecarService = Box(ServiceRegistration())
        var first = service("a")
        first.connect = connect
        try fixture.register(first)
        var second = service("b")
        second.connect = connect
        let error = refusal { () throws(RegistrationError) in try fixture.register(second) }
        #expect(
            error?.message
                == "Invalid SidecarService: no port provided for sidecar_service and none left "
                + "in the configured range [21000, 21000]"
        )
        #expect(fixture.state.service("b") == nil)
    }

    @Test func maintenanceIsACheckThatCanBeTakenBack() throws {
        var fixture = Fixture()
        try fixture.register(service("web"))
        var effects = LocalEffects()
        func set(_ on: Bool, _ id: String) throws(RegistrationError) {
            try fixture.state.setMaintenance(
                on,
                service: id,
                reason: "",
                token: "",
                now: fixture.now,
                into: &effects
            )
        }
        let error = refusal { () throws(RegistrationError) in try set(true, "nope") }
        #expect(error == RegistrationError(.notFound, "No service registered with ID \"nope\""))
        try set(true, "web")
        let check = try #require(fixture.state.check("_service_maintenance:web")?.check)
        #expect(check.status == .critical)
        #expect(check.serviceName == "web")
        #expect(check.notes.hasPrefix("Maintenance mode is enabled for this service"))
        try set(false, "web")
        #expect(fixture.state.checks.isEmpty)
    }

    @Test func aProxyThatExposesChecksTakesThemOver() throws {
        var fixture = Fixture()
        var web = service("web")
        web.checks = [httpCheck()]
        try fixture.register(web)
        var proxy = service("web-proxy", port: 9000)
        proxy.kind = .connectProxy
        proxy.proxy = ProxyConfiguration()
        proxy.proxy?.destinationServiceName = "web"
        proxy.proxy?.destinationServiceID = "web"
        proxy.proxy?.expose.checks = true
        try fixture.register(proxy)
        #expect(
            fixture.state.check("service:web")?.definition?.proxyHTTP
                == "http://127.0.0.1:21500/health"
        )
        var effects = LocalEffects()
        try fixture.state.deregisterService("web-proxy", now: fixture.now, into: &effects)
        #expect(fixture.state.check("service:web")?.definition?.proxyHTTP == "")
    }
}
