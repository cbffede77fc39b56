import HTTPAPI
import LocalState
import Model
import NIOCore
import Synchronization

/// The agent as the HTTP API sees it: calls from any thread, carried to the agent's event loop.
final class AgentFacade: AgentPort, AgentOperations {
    private let eventLoop: any EventLoop
    private let local: NIOLoopBound<LocalAgent>
    private let eventLog: NIOLoopBound<EventLog>
    private let reports: AgentReports
    private let commands: AgentCommands
    private let leaving = Atomic<Bool>(false)

    /// Must be called on the agent's event loop.
    init(local: LocalAgent, eventLog: EventLog, reports: AgentReports, commands: AgentCommands) {
        eventLoop = local.eventLoop
        self.local = NIOLoopBound(local, eventLoop: local.eventLoop)
        self.eventLog = NIOLoopBound(eventLog, eventLoop: local.eventLoop)
        self.reports = reports
        self.commands = commands
    }

    var isLeaving: Bool { leaving.load(ordering: .relaxed) }

    func addRoutes(to table: inout RouteTable) {
        AgentRoutes(agent: self).add(to: &table)
        EventRoutes(agent: self).add(to: &table)
    }

    // MARK: Registrations

    func change(
        _ body: @escaping LocalChange,
        completion: @escaping @Sendable (RegistrationError?) -> Void
    ) {
        eventLoop.execute {
            do throws(RegistrationError) {
                try self.local.value.change(body)
            } catch {
                return completion(error)
            }
            self.local.value.whenSynced { completion(nil) }
        }
    }

    func read(_ body: @escaping @Sendable (LocalState) -> Void) {
        eventLoop.execute { body(self.local.value.state) }
    }

    func watchService(
        _ id: String,
        wait: TimeAmount,
        isNews: @escaping @Sendable (CatalogService) -> Bool,
        completion: @escaping @Sendable (CatalogService?) -> Void
    ) {
        eventLoop.execute {
            self.local.value.watchService(
                id,
                wait: wait,
                isNews: isNews,
                completion: completion
            )
        }
    }

    // MARK: The agent itself

    var version: AgentVersion {
        AgentVersion(compatible: AgentVersions.compatible, program: AgentVersions.program)
    }

    func members(wan: Bool) -> [AgentMember] { [reports.member(wan: wan)] }

    func selfReport(_ completion: @escaping @Sendable ([UInt8]) -> Void) {
        eventLoop.execute {
            completion(self.reports.selfReport(state: self.local.value.state))
        }
    }

    func hostReport() -> [UInt8] { HostReport.json() }

    func metricsReport() -> [UInt8] { reports.metricsReport() }

    func reload(_ completion: @escaping @Sendable (String?) -> Void) {
        commands.reload(completion)
    }

    func leave(_ completion: @escaping @Sendable () -> Void) {
        leaving.store(true, ordering: .relaxed)
        commands.leave(completion)
    }

    // MARK: Events

    func fire(_ event: UserEvent, _ completion: @escaping @Sendable (UserEvent) -> Void) {
        var event = event
        event.id = UUIDs.random()
        let fired = event
        eventLoop.execute {
            let state = self.local.value.state
            completion(fired)
            self.eventLog.value.receive(
                fired,
                node: state.configuration.node.name,
                state: state
            )
        }
    }

    func events(
        named name: String,
        differingFrom index: UInt64,
        wait: TimeAmount,
        _ completion: @escaping @Sendable ([UserEvent]) -> Void
    ) {
        eventLoop.execute {
            self.eventLog.value.events(
                named: name,
                differingFrom: index,
                wait: wait,
                completion
            )
        }
    }
}

/// What the agent does as a whole when it is asked to over HTTP.
package struct AgentCommands: Sendable {
    /// Reads the configuration again; completes with the complaint, or nil.
    var reload: @Sendable (_ completion: @escaping @Sendable (String?) -> Void) -> Void
    /// Leaves, and stops once the reply had time to be sent.
    var leave: @Sendable (_ completion: @escaping @Sendable () -> Void) -> Void
}
