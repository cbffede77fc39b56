import Consensus
import DNSAPI
import HTTPAPI
import LocalState
package import Logging
import Model
import NIOCore
import NIOPosix
import Raft
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
    private let loops: AgentLoops
    private let tls: AgentTLS
    private let replica: Replica
    /// The replicated log; nil in development mode, where the log is in memory.
    private let consensus: ConsensusLog?
    private let membership: Membership
    private let reports: AgentReports
    private let running = Mutex<Running?>(nil)

    /// Opens the log and makes an agent that is idle until `start()`.
    package static func open(
        configuration: AgentConfiguration,
        makeLogger: @escaping @Sendable (String) -> Logger,
        commands: AgentCommands
    ) async throws(StartError) -> Agent {
        let tls = try AgentTLS.load(
            configuration.tls,
            limits: configuration.limits,
            now: Clocks.wall()
        )
        let loops = AgentLoops()
        do throws(StartError) {
            let loop = loops.replica.next()
            let logger = makeLogger("agent.server.raft")
            let consensus = try await ServerLog.open(configuration, tls, loop, logger)
            return Agent(configuration, tls, makeLogger, commands, loops, consensus)
        } catch {
            await loops.shutDown()
            throw error
        }
    }

    private init(
        _ configuration: AgentConfiguration,
        _ tls: AgentTLS,
        _ makeLogger: @escaping @Sendable (String) -> Logger,
        _ commands: AgentCommands,
        _ loops: AgentLoops,
        _ consensus: ConsensusLog?
    ) {
        self.configuration = configuration
        self.tls = tls
        self.makeLogger = makeLogger
        self.commands = commands
        self.loops = loops
        self.consensus = consensus
        logger = makeLogger("agent")
        replica = Replica(
            eventLoop: loops.replica.next(),
            log: consensus ?? ServerLog.inMemory(configuration),
            readArchive: ServerSnapshots.read,
            wallClock: Clocks.wall
        )
        reports = AgentReports(configuration: configuration, replica: replica)
        membership = Membership(
            configuration: configuration,
            replica: replica,
            node: reports.node,
            logger: makeLogger("agent.server")
        )
    }

    // MARK: Starting

    /// Starts everything; throws what a person can act on, with nothing left running.
    package func start() async throws(StartError) {
        for warning in configuration.warnings + tls.warnings { logger.warning("\(warning)") }
        replica.start()
        do throws(StartError) {
            if let consensus {
                try await ServerLog.listen(consensus, configuration)
                membership.start()
            } else {
                try await membership.register()
            }
            let storage = try openStorage()
            let (facade, local, eventLog) = try await startLocalAgent(storage)
            let http = try await startHTTP(facade)
            let dns = try await startDNS(http)
            running.withLock {
                $0 = Running(http: http, dns: dns, local: local, eventLog: eventLog)
            }
        } catch {
            membership.stop()
            await replica.stop()
            await loops.shutDown()
            throw error
        }
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
        let loop = loops.agent.next()
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
                if !self.configuration.disablesCoordinates { local.scheduleCoordinate() }
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
        local.node = reports.node
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
            snapshots: ServerSnapshots(
                replica: replica,
                consensus: consensus,
                server: ServerID.parse(configuration.nodeID) ?? NodeID(rawValue: 0),
                address: configuration.serverAddress.description
            ),
            logger: makeLogger("agent.http")
        )
        let routes = RouteTable.standard(for: services)
        let server = HTTPServer(group: loops.serving, services: services, routes: routes)
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
                try await server.start(on: loops.serving, address: host, port: port)
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
            _ = try await server.listen(on: try endpoint.listener(configuration, tls))
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
    ///
    /// New certificates are read, and used for connections that begin from then on. Throws when
    /// they cannot be used, and then nothing has changed.
    package func reload(_ configuration: AgentConfiguration) async throws(StartError) {
        let tls = try AgentTLS.load(
            configuration.tls,
            limits: configuration.limits,
            now: Clocks.wall()
        )
        consensus?.protect(by: try tls.security())
        if tls.certificates.own != nil {
            let context = try tls.httpsContext()
            running.withLock { $0?.http }?.use(context)
        }
        for warning in tls.warnings { logger.warning("\(warning)") }
        guard let local = running.withLock({ $0?.local }) else { return }
        // Fails only when the loop is gone, and then there is nothing left to change.
        try? await local.eventLoop.submit {
            local.value.load(configuration, keepingStatus: true)
        }.get()
    }

    // MARK: Stopping

    /// Ends listeners, checks and loops; what waits for an answer gets none.
    ///
    /// One that leaves is no server of the cluster afterwards.
    package func stop(leaving: Bool = false) async {
        if leaving { await membership.leave() }
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
        membership.stop()
        await consensus?.stepDown()
        await replica.stop()
        await loops.shutDown()
    }
}

/// The event loops of an agent.
struct AgentLoops: Sendable {
    /// Applies the log and speaks with the other servers; serves no clients.
    let replica = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    /// Runs the local state and its checks.
    let agent = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let serving = MultiThreadedEventLoopGroup(numberOfThreads: max(1, System.coreCount))

    func shutDown() async {
        for group in [serving, agent, replica] {
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
