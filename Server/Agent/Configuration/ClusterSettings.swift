import LocalState
package import Model

/// How this server forms or joins a cluster of servers, and how that cluster behaves.
///
/// - Source: Consul: docs/agent/options.
package struct ClusterSettings: Hashable, Sendable {
    /// How a cluster that does not exist yet comes to be.
    package enum Formation: Hashable, Sendable {
        /// This server waits to be taken into one.
        case join
        /// This server is the first voter of a new one.
        case bootstrap
        /// As many servers as this, which know of one another by `retryJoin`, form it together.
        ///
        /// Invariant: at least 2.
        case expect(Int)
    }

    /// Used only where there is no state of a cluster yet.
    package var formation = Formation.join
    /// The other servers, without repetitions; their port is that of servers, 8300.
    ///
    /// - Deviation: Consul's `retry_join` names gossip's port; a static list of servers does its
    ///   work here.
    package var retryJoin: [ServerAddress] = []
    package var retryInterval = Nanoseconds.seconds(30)
    /// How often joining is tried; nil for ever.
    package var retryLimit: Int?

    /// Stretches every time of the consensus; 1 to 10.
    ///
    /// - Deviation: 5 in Consul, whose timers are in use on machines of which it knows nothing.
    ///   Ours are stretched only when asked for.
    package var raftMultiplier = 1
    /// How long a request waits for a leader before it is refused.
    package var rpcHoldTimeout = Nanoseconds.seconds(7)
    /// How long a server that leaves goes on to serve.
    package var leaveDrainTime = Nanoseconds.seconds(5)

    /// Entries since the last snapshot that ask for the next.
    package var snapshotThreshold = 16_384
    /// How often it is looked whether a snapshot is due.
    package var snapshotInterval = Nanoseconds.seconds(30)
    /// Entries kept before a snapshot, for followers that are a little behind.
    package var trailingLogs = 10_000

    /// What autopilot's settings are when a cluster is formed; changed by its API later.
    package var autopilot = AutopilotConfiguration()

    package init() {}
}

/// Where a server listens for others: a name or an IP address, and a port.
package struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// Without brackets.
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `host`, `host:port`, `1.2.3.4:port`, `::1`, `[::1]` or `[::1]:port`; nil otherwise.
    package init?(_ text: String, defaultPort: Int) {
        var host = text[...]
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard host.contains(":"), rest.isEmpty || rest.hasPrefix(":") else { return nil }
            if !rest.isEmpty { port = rest.dropFirst() }
        } else if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        self.host = String(host)
        self.port = defaultPort
        guard Self.isHost(self.host) else { return nil }
        guard let port else { return }
        guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(port),
            (1...65_535).contains(number)
        else { return nil }
        self.port = number
    }

    /// `host:port`, an IPv6 address in brackets.
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private static func isHost(_ host: String) -> Bool {
        // RFC 1035 §2.3.4: a name has 255 bytes at most.
        guard (1...255).contains(host.utf8.count) else { return false }
        if host.contains(":") {
            return String(host.prefix(while: { $0 != "%" })).isIPv6Literal
        }
        return host.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
            default: false
            }
        }
    }
}
