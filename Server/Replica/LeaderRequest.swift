package import Model

/// What only the leader can do, besides writes.
package enum LeaderRequest: Hashable, Sendable {
    /// Starts a session's time to live anew.
    case renewSession(String)
    /// Takes a server out of the log's configuration.
    case removeServer(ServerSelector)
    /// Hands leadership to a voter, or to the one that is most up to date.
    case transferLeadership(to: ServerSelector?)
    /// How the servers are, as the leader sees them: `LeaderReply.health`.
    case serverHealth
}

/// Names one server of the log.
package enum ServerSelector: Hashable, Sendable {
    /// The UUID.
    case id(String)
    /// `host:port` as the configuration has it.
    case address(String)
}

/// What a leader answers.
package enum LeaderReply: Hashable, Sendable {
    case done
    /// What was named does not exist.
    case notFound
    /// No leader could be asked, or it lost its office meanwhile.
    case noLeader
    /// Refused or failed, in words for a person.
    case failed(String)
    case health([ServerHealth])
}

/// How one server is, as the leader sees it.
package struct ServerHealth: Hashable, Sendable {
    package var server: LogServer
    /// How long ago the server answered the leader; zero for the leader itself, nil for never.
    package var lastContact: Nanoseconds?
    package var lastTerm: UInt64
    package var lastIndex: LogIndex
    package var isLeader: Bool
    package var isHealthy: Bool
    /// Since when `isHealthy` is what it is, by the leader's wall clock.
    package var stableSince: Timestamp

    package init(
        server: LogServer,
        lastContact: Nanoseconds?,
        lastTerm: UInt64,
        lastIndex: LogIndex,
        isLeader: Bool,
        isHealthy: Bool,
        stableSince: Timestamp
    ) {
        self.server = server
        self.lastContact = lastContact
        self.lastTerm = lastTerm
        self.lastIndex = lastIndex
        self.isLeader = isLeader
        self.isHealthy = isHealthy
        self.stableSince = stableSince
    }
}
