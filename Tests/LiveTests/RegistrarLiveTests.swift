import Logging
import MusterAPI
import MusterBalancing
import MusterDiscovery
import Testing

/// The registrar on a real agent.
@Suite(.live, .timeLimit(.minutes(3))) struct RegistrarLiveTests {
    private static let silent = Logger(label: "live") { _ in SwiftLogNoOpLogHandler() }

    private static func configuration() -> ServiceRegistrar.Configuration {
        var configuration = ServiceRegistrar.Configuration()
        configuration.drainDelay = .zero
        return configuration
    }

    /// Runs a registrar until `body` is through.
    private func withRegistrar(
        _ registration: ServiceRegistration,
        _ client: MusterClient,
        configuration: ServiceRegistrar.Configuration = Self.configuration(),
        applicationChecks: [ApplicationCheck] = [],
        _ body: (ServiceRegistrar) async throws -> Void
    ) async throws {
        let registrar = ServiceRegistrar(
            registration,
            client: client,
            configuration: configuration,
            applicationChecks: applicationChecks,
            logger: Self.silent
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await registrar.run() }
            try await body(registrar)
            group.cancelAll()
        }
    }

    /// Waits until the catalog's entries of a service satisfy `condition`.
    @discardableResult
    private func entries(
        _ name: String,
        _ client: MusterClient,
        until condition: ([ServiceEntry]) -> Bool
    ) async throws -> [ServiceEntry] {
        try await Live.eventually {
            try await client.health.service(name, options: $0)
        } until: {
            condition($0)
        }.value
    }

    @Test func anInstanceComesHealthyWithAllItsFieldsAndLeavesInTheEnd() async throws {
        try await Live.withClient { client in
            let name = Live.unique("registrar")
            let registration = ServiceRegistration(
                id: name + "-1",
                name: name,
                tags: ["a"],
                port: 8080,
                address: "2001:db8::7",
                meta: ["zone": "z1"],
                taggedAddresses: ["lan": ServiceAddress(address: "2001:db8::7", port: 8081)],
                weights: ServiceWeights(passing: 7, warning: 3),
                enableTagOverride: true,
                checks: [.tcp("127.0.0.1:1", every: .seconds(3600), timeout: .seconds(1))]
            )
            var configuration = Self.configuration()
            configuration.deregisterAfter = .seconds(90)
            try await withRegistrar(registration, client, configuration: configuration) { _ in
                let found = try await entries(name, client) { entries in
                    entries.first?.checks.contains {
                        $0.checkID == "service:\(name)-1:heartbeat" && $0.status == .passing
                    } ?? false
                }
                let service = try #require(found.first?.service)
                #expect(service.address == "2001:db8::7")
                #expect(service.taggedAddresses["lan"]?.port == 8081)
                #expect(service.weights == ServiceWeights(passing: 7, warning: 3))
                #expect(service.enableTagOverride)
                #expect(service.meta == ["zone": "z1"])
                // The node's own check aside.
                #expect(found.first?.checks.filter { $0.serviceID == name + "-1" }.count == 2)
            }
            try await entries(name, client) { $0.isEmpty }
        }
    }

    @Test func aChangeInPlaceReachesTheCatalogAndNobodySeesTheInstanceFail() async throws {
        try await Live.withClient { client in
            let name = Live.unique("registrar")
            let registration = ServiceRegistration(id: name, name: name, port: 1)
            try await withRegistrar(registration, client) { registrar in
                try await entries(name, client) { $0.first?.aggregatedStatus == .passing }
                for round in 1...10 {
                    registrar.update {
                        $0.tags = ["v\(round)"]
                        $0.weights = ServiceWeights(passing: round, warning: 1)
                    }
                    // Each state that the catalog goes through is looked at.
                    try await entries(name, client) { entries in
                        #expect(entries.first?.aggregatedStatus == .passing)
                        return entries.first?.service.tags == ["v\(round)"]
                    }
                }
            }
        }
    }

    @Test func maintenanceIsSeenByCallersAndSurvivesAChange() async throws {
        try await Live.withClient { client in
            let name = Live.unique("registrar")
            let registration = ServiceRegistration(id: name, name: name, port: 1)
            try await withRegistrar(registration, client) { registrar in
                try await entries(name, client) { $0.first?.aggregatedStatus == .passing }
                registrar.setMaintenance(true, reason: "because")
                try await entries(name, client) { $0.first?.aggregatedStatus == .maintenance }
                registrar.update { $0.tags = ["v2"] }
                let found = try await entries(name, client) {
                    $0.first?.service.tags == ["v2"]
                }
                #expect(found.first?.aggregatedStatus == .maintenance)
                registrar.setMaintenance(false)
                try await entries(name, client) { $0.first?.aggregatedStatus == .passing }
            }
        }
    }

    @Test func theInstanceIsAsHealthyAsItsWorstApplicationCheck() async throws {
        try await Live.withClient { client in
            let name = Live.unique("registrar")
            let registration = ServiceRegistration(id: name, name: name, port: 1)
            let checks = [
                ApplicationCheck(name: "database") { .passing },
                ApplicationCheck(name: "queue") { .warning },
            ]
            try await withRegistrar(registration, client, applicationChecks: checks) { _ in
                let found = try await entries(name, client) {
                    $0.first?.aggregatedStatus == .warning
                }
                let outputs = found.first?.checks.map(\.output) ?? []
                #expect(outputs.contains("The application reports a warning"))
            }
        }
    }

    @Test func whatTheAgentRefusesEndsTheRunWithItsReason() async throws {
        try await Live.withClient { client in
            let name = Live.unique("registrar")
            let broken = ServiceRegistration(
                id: name,
                name: name,
                weights: ServiceWeights(passing: -5, warning: 1)
            )
            let registrar = ServiceRegistrar(
                broken,
                client: client,
                configuration: Self.configuration(),
                logger: Self.silent
            )
            let error = await #expect(throws: MusterError.self) { try await registrar.run() }
            #expect(error?.code == .badRequest)
            #expect(error?.body.contains("eight") == true, "\(String(describing: error))")
        }
    }
}

/// The registrar on an agent that is killed.
@Suite(.live, .ownAgent, .timeLimit(.minutes(3))) struct RegistrarRestartTests {
    /// A log that tells each message to a stream.
    private struct TellingLog: LogHandler {
        let messages: AsyncStream<String>.Continuation
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { messages.yield("\(event.message)") }
    }

    @Test func anAgentThatForgotTheInstanceIsToldAgain() async throws {
        try await LiveAgent.withAgent { agent, client in
            var configuration = ServiceRegistrar.Configuration()
            configuration.ttl = .seconds(3)
            configuration.drainDelay = .zero
            let (messages, told) = AsyncStream.makeStream(of: String.self)
            let registrar = ServiceRegistrar(
                ServiceRegistration(id: "web-1", name: "web", port: 1),
                client: client,
                configuration: configuration,
                logger: Logger(label: "live") { _ in TellingLog(messages: told) }
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await registrar.run() }
                try await Self.registered(messages, client)
                await agent.kill()
                try agent.forgetServices()
                try await agent.start(client)
                try await Self.registered(messages, client)
                // Removed behind the registrar's back, it comes back as well.
                try await client.agent.deregister(serviceID: "web-1")
                try await Self.registered(messages, client)
                group.cancelAll()
            }
            #expect(try await client.agent.services().isEmpty)
        }
    }

    /// Waits until the instance has been registered once more, and callers see it pass.
    private static func registered(
        _ messages: AsyncStream<String>,
        _ client: MusterClient
    ) async throws {
        for await message in messages where message == "Registered" { break }
        #expect(try await client.agent.service("web-1").value != nil)
        _ = try await Live.eventually {
            try await client.health.service("web", passing: true, options: $0)
        } until: {
            $0.count == 1
        }
    }
}
