import DNSAPI
import HTTPAPI
import LocalState
package import Logging
import Model
import NIOCore
import NIOPosix
import Replica
import Synchronization

/// One running agent: owns the registry's replica, what was registered here, and the listeners.
///
/// `start` brings them up in the order of their needs, `stop` takes them down in reverse.
package final class Agent: Sendable {
    private struct Running {
        var http: HTTPServer
        var dns: DNSServer
        var local: NIOLoopBound<LocalAgent>
        var eventLog: NIOLoopBound<EventLog>
    }

    private let configuration: AgentConfiguration
    private let logger: Logger
    private let makeLogger: @Sendable (String) -> Logger
    private let commands: AgentCommands
    /// Applies the log; serves no connections.
    private let replicaGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    /// Runs the local state and its checks.
    private let agentGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let servingGroup: MultiThreadedEventLoopGroup
    private let replica: Replica
    private let reports: AgentReports
    private let running = Mutex<Running?>(nil)

    /// Makes an agent that is idle until `start()`.
    package init(
        configuration: AgentConfiguration,
        makeLogger: @escaping @Sendable (String) -> Logger,
        commands: AgentCommands
    ) {
        self.configuration = configuration
        self.makeLogger = makeLogger
        self.commands = commands
        logger = makeLogger("agent")
        servingGroup = MultiThreadedEventLoopGroup(numberOfThreads: max(1, System.coreCount))
        let server = LogServer(
            id: configuration.nodeID,
            nodeName: configuration.nodeName,
            address: "\(configuration.advertiseAddress):\(configuration.ports.server)",
            isVoter: true
        )
        replica = Replica(
            eventLoop: replicaGroup.next(),
            log: InMemoryLog(server: server),
            wallClock: Clocks.wall
        )
        reports = AgentReports(configuration: configuration, replica: replica)
    }

    // MARK: Starting

    /// Starts everything; throws what a person can act on, with nothing left running.
    package func start() async throws(StartError) {
        for warning in configuration.warnings { logger.warning("\(warning)") }
        replica.start()
        do throws(StartError) {
            try await registerSelf()
            let storage = try openStorage()
            let (facade, local, eventLog) = try await startLocalAgent(storage)
            let http = try await startHTTP(facade)
            let dns = try await startDNS(http)
            running.withLock {
                $0 = Running(http: http, dns: dns, local: local, eventLog: eventLog)
            }
        } catch {
            await replica.stop()
            await shutDownLoops()
            throw error
        }
    }

    /// Writes what a new leader writes: autopilot's settings, and this server's node, service and
    /// gossip check.
    private func registerSelf() async throws(StartError) {
        do throws(ProposalError) {
            let autopilot = AutopilotCommand(
                configuration: AutopilotConfiguration(),
                casIndex: nil
            )
            _ = try await replica.propose(.autopilot(autopilot))
            _ = try await replica.propose(.register(ownMembership))
        } catch {
            throw StartError("cannot register this node: \(error.message)")
        }
    }

    /// - Source: Consul: GET /v1/catalog/node/:node of a server.
    private var ownMembership: RegisterCommand {
        var command = RegisterCommand()
        command.datacenter = configuration.datacenter
        command.node = ownNode
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
        var check = HealthCheck()
        check.node = configuration.nodeName
        check.id = "serfHealth"
        check.name = "Serf Health Status"
        check.status = .passing
        check.output = "Agent alive and reachable"
        command.checks = [check]
        return command
    }

    private var ownNode: Node {
        var node = Node()
        node.id = configuration.nodeID
        node.name = configuration.nodeName
        node.address = configuration.advertiseAddress
        node.datacenter = configuration.datacenter
        node.taggedAddresses = reports.taggedAddresses
        node.meta = reports.nodeMeta
        return node
    }

    private func openStorage() throws(StartError) -> RegistrationStorage? {
        guard !configuration.dataDirectory.isEmpty else { return nil }
        do throws(StorageError) {
            return try RegistrationStorage(
                directory: configuration.dataDirectory,
                fileLimit: configuration.limits.configurationFileBytes,
                wallClock: Clocks.wall
            )
        } catch {
            throw StartError(error.description)
        }
    }

    private func startLocalAgent(
        _ storage: RegistrationStorage?
    ) async throws(StartError) -> (
        AgentFacade, NIOLoopBound<LocalAgent>, NIOLoopBound<EventLog>
    ) {
        let loop = agentGroup.next()
        do {
            return try await loop.submit {
                let local = LocalAgent(
                    eventLoop: loop,
                    replica: self.replica,
                    configuration: self.localConfiguration,
                    limits: self.configuration.limits,
                    storage: storage,
                    logger: self.logger
                )
                let eventLog = EventLog(
                    eventLoop: loop,
                    limits: self.configuration.limits
                )
                let facade = AgentFacade(
                    local: local,
                    eventLog: eventLog,
                    reports: self.reports,
                    commands: self.commands
                )
                local.load(self.configuration, keepingStatus: false)
                local.restore()
                local.fullSync()
                return (
                    facade, NIOLoopBound(local, eventLoop: loop),
                    NIOLoopBound(eventLog, eventLoop: loop)
                )
            }.get()
        } catch {
            throw StartError("cannot start the agent's loop: \(error)")
        }
    }

    private var localConfiguration: LocalConfiguration {
        var local = LocalConfiguration()
        local.node = ownNode
        local.allowsLocalScripts = configuration.enableLocalScriptChecks
        local.allowsRemoteScripts = configuration.enableScriptChecks
        local.discardsOutput = configuration.discardsCheckOutput
        local.outputUpdateInterval = configuration.checkUpdateInterval
        local.limits.outputBytes = configuration.checkOutputBytes
        let ports = configuration.ports
        local.sidecarPorts = PortRange(lowest: ports.sidecarLowest, highest: ports.sidecarHighest)
        local.exposedPorts = PortRange(lowest: ports.exposedLowest, highest: ports.exposedHighest)
        return local
    }

    private func startHTTP(_ facade: AgentFacade) async throws(StartError) -> HTTPServer {
        var settings = configuration.http
        settings.datacenter = configuration.datacenter
        settings.nodeName = configuration.nodeName
        settings.nodeID = configuration.nodeID
        let services = APIServices(
            settings: settings,
            replica: replica,
            agent: facade,
            logger: makeLogger("agent.http")
        )
        let routes = RouteTable.standard(for: services)
        let server = HTTPServer(group: servingGroup, services: services, routes: routes)
        do {
            try await server.start()
        } catch {
            throw StartError("cannot start the HTTP loops: \(error)")
        }
        for endpoint in try ListenEndpoint.http(of: configuration) {
            try await listen(server, on: endpoint)
        }
        return server
    }

    private func startDNS(_ http: HTTPServer) async throws(StartError) -> DNSServer {
        let server = DNSServer(
            replica: replica,
            settings: configuration.dns,
            wallClock: Clocks.wall
        )
        for endpoint in try ListenEndpoint.dns(of: configuration) {
            guard case .port(let host, let port) = endpoint.place else { continue }
            do {
                try await server.start(on: servingGroup, address: host, port: port)
            } catch {
                await server.stop()
                await http.stop()
                throw StartError("Failed to start DNS server on \(endpoint.text): \(error)")
            }
            for network in ["udp", "tcp"] {
                logger.info(
                    "Started DNS server: address=\(endpoint.text) network=\(network)"
                )
            }
        }
        return server
    }

    private func listen(
        _ server: HTTPServer,
        on endpoint: ListenEndpoint
    ) async throws(StartError) {
        do {
            _ = try await server.listen(on: try endpoint.listener(configuration))
            let place = "address=\(endpoint.text) network=\(endpoint.network)"
            logger.info("Started \(endpoint.name) server: \(place)")
        } catch let error as StartError {
            await server.stop()
            throw error
        } catch {
            await server.stop()
            throw StartError(
                "Failed to start \(endpoint.name) server on \(endpoint.text): \(error)"
            )
        }
    }

    // MARK: Running

    /// Takes over what a new configuration may change while the agent runs.
    package func reload(_ configuration: AgentConfiguration) async {
        guard let local = running.withLock({ $0?.local }) else { return }
        // Fails only when the loop is gone, and then there is nothing left to change.
        try? await local.eventLoop.submit {
            local.value.load(configuration, keepingStatus: true)
        }.get()
    }

    // MARK: Stopping

    /// Ends listeners, checks and loops; what waits for an answer gets none.
    package func stop() async {
        let parts = running.withLock { running in
            defer { running = nil }
            return running
        }
        if let parts {
            await parts.http.stop()
            await parts.dns.stop()
            // Fails only when the loop is gone already.
            try? await parts.local.eventLoop.submit {
                parts.local.value.stop()
                parts.eventLog.value.stop()
            }.get()
        }
        await replica.stop()
        await shutDownLoops()
    }

    private func shutDownLoops() async {
        for group in [servingGroup, agentGroup, replicaGroup] {
            try? await group.shutdownGracefully()  // Fails only when it was shut down before.
        }
    }
}

/// Why an agent did not start, in words for the person who started it.
package struct StartError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
