package import DNSAPI
package import HTTPAPI
import LocalState
package import Logging
package import Model

/// Everything that decides how an agent runs, after files and flags were merged.
///
/// The names follow Consul's options. - Source: Consul: docs/agent/options.
package struct AgentConfiguration: Sendable {
    // Identity.
    package var nodeName = ""
    /// A UUID; empty until the agent chose or read one.
    package var nodeID = ""
    package var nodeMeta: [String: String] = [:]
    package var datacenter = "dc1"
    package var isDevelopment = false
    /// What was asked for and is not done; logged when the agent starts.
    package var warnings: [String] = []
    package var isServer = false
    package var isBootstrap = false
    package var dataDirectory = ""
    package var pidFile = ""

    // Addresses.
    package var bindAddress = "0.0.0.0"
    package var advertiseAddress = ""
    package var advertiseWANAddress = ""
    package var clientAddresses = ["127.0.0.1"]
    package var ports = AgentPorts()
    package var addresses = AgentAddresses()
    package var unixSockets = UnixSocketPermissions()
    package var tls = TLSSettings()

    // Cluster.
    package var cluster = ClusterSettings()

    // Interfaces.
    package var http = HTTPSettings()
    package var dns = DNSSettings()

    // Registrations and their checks.
    package var enableLocalScriptChecks = false
    package var enableScriptChecks = false
    package var checkUpdateInterval = Nanoseconds.seconds(300)
    package var discardsCheckOutput = false
    package var disablesCoordinates = false
    package var checkOutputBytes = 4096
    package var services: [ServiceRegistration] = []
    package var checks: [CheckRegistration] = []

    // Process.
    package var logLevel = Logger.Level.info
    package var logsJSON = false
    package var logFile = ""
    package var leavesOnTerminate = false
    package var skipsLeaveOnInterrupt = true
    package var limits = AgentLimits()

    package init() {}

    /// What other servers reach this one by.
    package var serverAddress: ServerAddress {
        ServerAddress(host: advertiseAddress, port: ports.server)
    }
}

/// The ports of the agent; -1 disables a listener.
///
/// - Source: Consul: docs/agent/options `ports`.
package struct AgentPorts: Hashable, Sendable {
    package var dns = 8600
    package var http = 8500
    package var https = -1
    package var grpc = -1
    package var serfLAN = 8301
    package var serfWAN = 8302
    package var server = 8300
    package var sidecarLowest = 21_000
    package var sidecarHighest = 21_255
    package var exposedLowest = 21_500
    package var exposedHighest = 21_755

    package init() {}
}

/// Where each interface listens; empty means the client addresses.
///
/// - Source: Consul: docs/agent/options `addresses`.
package struct AgentAddresses: Hashable, Sendable {
    package var dns: [String] = []
    package var http: [String] = []
    package var https: [String] = []

    package init() {}
}
