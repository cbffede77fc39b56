import Glibc
import Logging
import Model

/// `muster agent`: from the command line to a running agent and its end.
package enum AgentCommand {
    /// What the running agent is told from outside.
    private enum Order: Sendable {
        case reload(@Sendable (String?) -> Void)
        /// Ends with code 0 after a graceful leave, else with 1.
        case stop(reason: String, isGraceful: Bool)
    }

    /// Orders that wait; one more is dropped, which only a flood of signals can bring about.
    private static let waitingOrders = 16

    /// Runs until the agent is told to stop; gives the exit code of the process.
    package static func run(_ arguments: [String]) async -> Int32 {
        let sink = LogSink(level: .info)
        guard !CommandLineFlags.asksForHelp(arguments) else {
            sink.put(CommandLineFlags.usage)
            return 0
        }
        let configuration: AgentConfiguration
        do throws(StartError) {
            configuration = try AgentSettings.resolve(arguments)
        } catch {
            LogSink(level: .info, console: 2).put(error.description + "\n")
            return 1
        }
        sink.level = configuration.logLevel
        sink.setJSON(configuration.logsJSON)
        do throws(StorageError) {
            if !configuration.logFile.isEmpty { try sink.open(prefix: configuration.logFile) }
            if !configuration.pidFile.isEmpty {
                let text = Array("\(getpid())".utf8)
                try FileSystem.replace(
                    configuration.pidFile,
                    with: text,
                    mode: 0o644,
                    isDurable: false
                )
            }
        } catch {
            sink.put("==> \(error.description)\n")
            return 1
        }
        let code = await run(configuration, arguments, sink)
        if !configuration.pidFile.isEmpty { unlink(configuration.pidFile) }
        return code
    }

    private static func run(
        _ configuration: AgentConfiguration,
        _ arguments: [String],
        _ sink: LogSink
    ) async -> Int32 {
        let (orders, feed) = AsyncStream.makeStream(
            of: Order.self,
            bufferingPolicy: .bufferingOldest(waitingOrders)
        )
        let commands = AgentCommands(
            reload: { completion in feed.yield(.reload(completion)) },
            leave: { completion in
                completion()
                feed.yield(.stop(reason: "leave", isGraceful: true))
            }
        )
        sink.put(greeting(configuration))
        let agent: Agent
        do throws(StartError) {
            agent = try await Agent.open(
                configuration: configuration,
                makeLogger: { label in
                    Logger(label: label) { AgentLogHandler(label: $0, sink: sink) }
                },
                commands: commands
            )
            try await agent.start()
        } catch {
            sink.put("==> Error starting agent: \(error.description)\n")
            return 1
        }
        sink.put("==> Muster agent running!\n")
        Signals.start { feed.yield(order(for: $0, configuration)) }
        let logger = Logger(label: "agent") { AgentLogHandler(label: $0, sink: sink) }
        for await order in orders {
            switch order {
            case .reload(let completion):
                completion(await reload(agent, arguments, sink, logger))
            case .stop(let reason, let isGraceful):
                logger.info("Shutting down: reason=\(reason)")
                await agent.stop(leaving: reason == "leave")
                let code: Int32 = isGraceful ? 0 : 1
                logger.info("Exit code: code=\(code)")
                return code
            }
        }
        return 0
    }

    /// What a signal asks of the agent.
    private static func order(for signal: Int32, _ configuration: AgentConfiguration) -> Order {
        switch signal {
        case SIGHUP:
            .reload { _ in }
        case SIGTERM:
            .stop(reason: "terminated", isGraceful: configuration.leavesOnTerminate)
        default:
            .stop(reason: "interrupt", isGraceful: !configuration.skipsLeaveOnInterrupt)
        }
    }

    /// Gives the complaint when the configuration cannot be used; the agent goes on as it was.
    private static func reload(
        _ agent: Agent,
        _ arguments: [String],
        _ sink: LogSink,
        _ logger: Logger
    ) async -> String? {
        logger.info("Reloading configuration...")
        do throws(StartError) {
            let configuration = try AgentSettings.resolve(arguments)
            sink.level = configuration.logLevel
            try await agent.reload(configuration)
            return nil
        } catch {
            logger.error("Failed to reload config: \(error.description)")
            return error.description
        }
    }

    private static func greeting(_ configuration: AgentConfiguration) -> String {
        let ports = configuration.ports
        let tls = configuration.tls
        let clients = configuration.clientAddresses.joined(separator: " ")
        return """
            ==> Starting Muster agent...
                       Version: '\(AgentVersions.program)' (Consul \(AgentVersions.compatible))
                       Node ID: '\(configuration.nodeID)'
                     Node name: '\(configuration.nodeName)'
                    Datacenter: '\(configuration.datacenter)'
                        Server: \(configuration.isServer)
                   Client Addr: [\(clients)] (HTTP: \(ports.http), HTTPS: \(ports.https), \
            DNS: \(ports.dns))
                  Cluster Addr: \(configuration.advertiseAddress)
                       Encrypt: Gossip: false, TLS-Outgoing: \(tls.verifiesOutgoing), \
            TLS-Incoming: \(tls.verifiesIncomingRPC)

            ==> Log data will now stream in as it occurs:


            """
    }
}
