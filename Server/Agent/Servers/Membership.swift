import Logging
import Model
import NIOCore
import Replica
import StateStore
import Synchronization

/// This server and its peers in the catalog: each registers itself, and the leader watches over
/// who answers.
///
/// - Source: Consul: docs/internals/architecture; the node, service and check of a server.
final class Membership: Sendable {
    private let configuration: AgentConfiguration
    private let replica: Replica
    private let node: Node
    private let logger: Logger
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// Between attempts to register, and between two looks at the other servers.
    private static let interval = Duration.seconds(1)

    init(
        configuration: AgentConfiguration,
        replica: Replica,
        node: Node,
        logger: Logger
    ) {
        self.configuration = configuration
        self.replica = replica
        self.node = node
        self.logger = logger
    }

    /// Registers this server as soon as there is a leader, then watches over the others.
    func start() {
        task.withLock { task in
            guard task == nil else { return }
            task = Task { await run() }
        }
    }

    /// Takes this server out of the configuration, when others remain.
    ///
    /// - Source: Consul: docs/commands/leave: a server that leaves is removed from the peers.
    func leave() async {
        stop()
        guard replica.leadership.servers.count > 1 else { return }
        let request = LeaderRequest.removeServer(.id(configuration.nodeID))
        let reply = await withCheckedContinuation { continuation in
            replica.ask(request, on: replica.eventLoop) { continuation.resume(returning: $0) }
        }
        if reply != .done { logger.warning("leaving without the leader's word: \(reply)") }
    }

    func stop() {
        task.withLock { task in
            task?.cancel()
            task = nil
        }
    }

    private func run() async {
        while !Task.isCancelled {
            do throws(StartError) {
                try await register()
                break
            } catch {
                logger.debug("\(error.description)")
            }
            try? await Task.sleep(for: Self.interval)  // Fails only when it is cancelled.
        }
        while !Task.isCancelled {
            if replica.leadership.isLeader {
                try? await initializeAutopilot()  // It is tried again in a moment.
                await superviseServers()
            }
            try? await Task.sleep(for: Self.interval)  // Fails only when it is cancelled.
        }
    }

    /// Writes what a leader writes when nobody has yet: autopilot's settings.
    private func initializeAutopilot() async throws(ProposalError) {
        guard replica.current.store.autopilotConfiguration().value == nil else { return }
        let autopilot = AutopilotCommand(
            configuration: configuration.cluster.autopilot,
            casIndex: nil
        )
        _ = try await replica.propose(.autopilot(autopilot))
    }

    /// Writes this server's node, service and gossip check, and what a leader writes before.
    func register() async throws(StartError) {
        do throws(ProposalError) {
            if replica.leadership.isLeader { try await initializeAutopilot() }
            _ = try await replica.propose(.register(ownRegistration))
        } catch {
            throw StartError("cannot register this node: \(error.message)")
        }
    }

    /// - Source: Consul: GET /v1/catalog/node/:node of a server.
    private var ownRegistration: RegisterCommand {
        var command = RegisterCommand()
        command.datacenter = configuration.datacenter
        command.node = node
        var service = CatalogService()
        service.id = "consul"
        service.name = "consul"
        service.port = configuration.ports.server
        service.weights = Weights()
        service.meta = [
            "non_voter": "false",
            "raft_version": "3",
            "serf_protocol_current": "2",
            "serf_protocol_max": "5",
            "serf_protocol_min": "1",
            "version": AgentVersions.compatible,
        ]
        command.service = service
        command.checks = [Self.check(of: configuration.nodeName, isAlive: true)]
        return command
    }

    private static func check(of node: String, isAlive: Bool) -> HealthCheck {
        var check = HealthCheck()
        check.node = node
        check.id = "serfHealth"
        check.name = "Serf Health Status"
        check.status = isAlive ? .passing : .critical
        check.output = isAlive ? "Agent alive and reachable" : "Agent not live or unreachable"
        return check
    }

    // MARK: As the leader

    /// Has each server's check say whether the server answers.
    private func superviseServers() async {
        let reply = await withCheckedContinuation { continuation in
            replica.ask(.serverHealth, on: replica.eventLoop) { continuation.resume(returning: $0) }
        }
        guard case .health(let servers) = reply else { return }
        for health in servers where !health.server.nodeName.isEmpty {
            let contact = health.lastContact ?? .seconds(3600)
            await show(health.server.nodeName, isAlive: contact < configuration.limits.silence)
        }
    }

    private func show(_ name: String, isAlive: Bool) async {
        let store = replica.current.store
        guard let registered = store.node(name).value,
            let shown = store.check(node: name, id: "serfHealth").value,
            (shown.check.status == .passing) != isAlive
        else { return }
        var command = RegisterCommand()
        command.datacenter = configuration.datacenter
        command.node = registered.node
        command.checks = [Self.check(of: name, isAlive: isAlive)]
        do throws(ProposalError) {
            _ = try await replica.propose(.register(command))
            logger.info("Server \(isAlive ? "answers again" : "does not answer"): \(name)")
        } catch {
            logger.debug("cannot note the state of \(name): \(error.message)")
        }
    }
}
