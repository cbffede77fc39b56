import HTTPAPI
import LocalState
import Logging
import Model
import NIOCore
import NIOPosix
import Replica
import StateStore
import Testing

@testable import Agent

/// An agent without listeners: its local state, its events, and a registry of one server.
private struct Fixture {
    let facade: AgentFacade
    let replica: Replica
    private let local: NIOLoopBound<LocalAgent>
    private let eventLog: NIOLoopBound<EventLog>

    init() async throws {
        var configuration = AgentConfiguration()
        configuration.nodeName = "here"
        configuration.nodeID = UUIDs.random()
        configuration.advertiseAddress = "127.0.0.1"
        let group = MultiThreadedEventLoopGroup.singleton
        let server = LogServer(
            id: configuration.nodeID,
            nodeName: "here",
            address: "127.0.0.1:8300",
            isVoter: true
        )
        let replica = Replica(
            eventLoop: group.next(),
            log: InMemoryLog(server: server),
            wallClock: Clocks.wall
        )
        replica.start()
        self.replica = replica
        let loop = group.next()
        (facade, local, eventLog) = try await loop.submit { [configuration] in
            var own = LocalConfiguration()
            own.node.name = "here"
            own.node.address = "127.0.0.1"
            own.node.datacenter = "dc1"
            let local = LocalAgent(
                eventLoop: loop,
                replica: replica,
                configuration: own,
                limits: AgentLimits(),
                storage: nil,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            let eventLog = EventLog(eventLoop: loop, limits: AgentLimits())
            let facade = AgentFacade(
                local: local,
                eventLog: eventLog,
                reports: AgentReports(configuration: configuration, replica: replica),
                commands: AgentCommands(reload: { $0(nil) }, leave: { $0() })
            )
            local.fullSync()
            return (
                facade, NIOLoopBound(local, eventLoop: loop),
                NIOLoopBound(eventLog, eventLoop: loop)
            )
        }.get()
    }

    func stop() async throws {
        try await local.eventLoop.submit {
            local.value.stop()
            eventLog.value.stop()
        }.get()
        await replica.stop()
    }

    func change(_ body: @escaping LocalChange) async -> RegistrationError? {
        await withCheckedContinuation { continuation in
            facade.change(body) { continuation.resume(returning: $0) }
        }
    }

    func register(_ name: String, port: Int = 80) async -> RegistrationError? {
        var registration = ServiceRegistration()
        registration.name = name
        registration.port = port
        let options = RegistrationOptions(source: .remote)
        return await change { [registration] state, now, effects throws(RegistrationError) in
            try state.register(registration, options: options, now: now, into: &effects)
        }
    }

    func fire(_ name: String, service: String = "") async -> UserEvent {
        var event = UserEvent()
        event.name = name
        event.serviceFilter = service
        return await withCheckedContinuation { [event] continuation in
            facade.fire(event) { continuation.resume(returning: $0) }
        }
    }

    func events(_ name: String = "", after index: UInt64 = 0) async -> [UserEvent] {
        await withCheckedContinuation { continuation in
            facade.events(named: name, differingFrom: index, wait: .seconds(60)) {
                continuation.resume(returning: $0)
            }
        }
    }
}

@Suite struct LocalAgentTests {
    @Test func whatWasAcknowledgedIsInTheCatalog() async throws {
        let fixture = try await Fixture()
        for number in 0..<50 {
            #expect(await fixture.register("web\(number)") == nil)
            let found = fixture.replica.current.store.serviceInstances("web\(number)").value
            #expect(found.map(\.service.service.port) == [80])
        }
        let refusal = await fixture.register("")
        #expect(refusal == RegistrationError(.invalid, "Missing service name"))
        try await fixture.stop()
    }

    @Test func manyRegistrationsAtOnceAllArrive() async throws {
        let fixture = try await Fixture()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask { _ = await fixture.register("web", port: number) }
                group.addTask { _ = await fixture.register("s\(number)") }
            }
        }
        let store = fixture.replica.current.store
        for number in 0..<200 {
            #expect(store.serviceInstances("s\(number)").value.count == 1)
        }
        #expect(store.serviceInstances("web").value.count == 1)
        try await fixture.stop()
    }

    @Test func whatWasDeregisteredIsGoneFromTheCatalog() async throws {
        let fixture = try await Fixture()
        _ = await fixture.register("web")
        let refusal = await fixture.change { state, now, effects throws(RegistrationError) in
            try state.deregisterService("web", now: now, into: &effects)
        }
        #expect(refusal == nil)
        #expect(fixture.replica.current.store.serviceInstances("web").value.isEmpty)
        try await fixture.stop()
    }

    @Test func aWatchOfAServiceEndsWithItsChangeAndWithItsRemoval() async throws {
        let fixture = try await Fixture()
        _ = await fixture.register("web", port: 1)
        async let changed = withCheckedContinuation { continuation in
            fixture.facade.watchService(
                "web",
                wait: .seconds(60),
                isNews: { $0.port != 1 },
                completion: { continuation.resume(returning: $0) }
            )
        }
        // Whichever comes first, the watch or the change: the watch sees port 2.
        _ = await fixture.register("web", port: 2)
        #expect(await changed?.port == 2)
        async let removed = withCheckedContinuation { continuation in
            fixture.facade.watchService(
                "web",
                wait: .seconds(60),
                isNews: { _ in false },
                completion: { continuation.resume(returning: $0) }
            )
        }
        _ = await fixture.change { state, now, effects throws(RegistrationError) in
            try state.deregisterService("web", now: now, into: &effects)
        }
        #expect(await removed == nil)
        try await fixture.stop()
    }

    @Test func anAliasFollowsAServiceOfAnotherNode() async throws {
        let fixture = try await Fixture()
        var command = RegisterCommand()
        command.node.name = "there"
        command.node.address = "10.0.0.1"
        var check = HealthCheck()
        check.node = "there"
        check.id = "c"
        check.name = "far"
        check.output = "burning"
        command.checks = [check]
        _ = try await fixture.replica.propose(.register(command))
        var alias = CheckRegistration()
        alias.name = "shadow"
        alias.aliasNode = "there"
        let options = RegistrationOptions(source: .remote)
        _ = await fixture.change { [alias] state, now, effects throws(RegistrationError) in
            try state.register(check: alias, options: options, now: now, into: &effects)
        }
        #expect(await output(of: "shadow", in: fixture) == "Aliased check \"far\" failing: burning")
        try await fixture.stop()
    }

    /// The output of a check once the turn of the loop that evaluates it has passed.
    private func output(of id: String, in fixture: Fixture) async -> String? {
        for _ in 0..<2 {
            let found = await withCheckedContinuation { continuation in
                fixture.facade.read { continuation.resume(returning: $0.check(id)?.check.output) }
            }
            if found?.isEmpty == false { return found }
        }
        return nil
    }

    @Test func eventsAreKeptInOrderAndFilteredByServiceAndName() async throws {
        let fixture = try await Fixture()
        _ = await fixture.register("web")
        let first = await fixture.fire("deploy")
        _ = await fixture.fire("other", service: "^web$")
        _ = await fixture.fire("elsewhere", service: "^db$")
        let all = await fixture.events()
        #expect(all.map(\.name) == ["deploy", "other"])
        #expect(all.map(\.lamportTime) == [2, 3])
        #expect(all.first?.id == first.id)
        #expect(await fixture.events("other").count == 1)
        try await fixture.stop()
    }

    @Test func aWaitForEventsEndsWithTheNextOne() async throws {
        let fixture = try await Fixture()
        _ = await fixture.fire("one")
        let index = UserEvent.index(of: await fixture.events())
        async let next = fixture.events(after: index)
        _ = await fixture.fire("two")
        #expect(await next.map(\.name) == ["one", "two"])
        try await fixture.stop()
    }

    @Test func onlyTheNewestEventsAreKept() async throws {
        let fixture = try await Fixture()
        for number in 0..<300 { _ = await fixture.fire("e\(number)") }
        let kept = await fixture.events()
        #expect(kept.count == AgentLimits().keptEvents)
        #expect(kept.last?.name == "e299")
        try await fixture.stop()
    }
}
