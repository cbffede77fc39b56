package import Model

/// One server of the replicated log.
package struct LogServer: Hashable, Sendable {
    /// A UUID that stays when the address changes.
    package var id: String
    package var nodeName: String
    /// `host:port` of the server's port 8300.
    package var address: String
    package var isVoter: Bool

    package init(id: String, nodeName: String, address: String, isVoter: Bool) {
        self.id = id
        self.nodeName = nodeName
        self.address = address
        self.isVoter = isVoter
    }
}

/// Who leads, and how current this server is.
package struct Leadership: Sendable {
    /// The leader among `servers`, or nil while there is none.
    package var leader: LogServer?
    /// True when this server leads.
    package var isLeader: Bool
    /// How long ago the leader was heard; zero on the leader itself, the greatest value when none
    /// ever was.
    package var lastContact: Nanoseconds
    package var servers: [LogServer]
    /// The index at which `servers` took effect.
    package var configurationIndex: LogIndex
    package var term: UInt64
    package var lastLogIndex: LogIndex
    package var commitIndex: LogIndex

    package init(
        leader: LogServer?,
        isLeader: Bool,
        lastContact: Nanoseconds,
        servers: [LogServer],
        configurationIndex: LogIndex,
        term: UInt64,
        lastLogIndex: LogIndex,
        commitIndex: LogIndex
    ) {
        self.leader = leader
        self.isLeader = isLeader
        self.lastContact = lastContact
        self.servers = servers
        self.configurationIndex = configurationIndex
        self.term = term
        self.lastLogIndex = lastLogIndex
        self.commitIndex = commitIndex
    }
}
