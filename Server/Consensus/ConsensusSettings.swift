package import Model
package import NIOCore
package import RPC
package import Raft

/// How one server takes part in the replicated log.
package struct ConsensusSettings: Sendable {
    /// This server: its lasting id and where its peers reach it.
    package var id: NodeID
    package var nodeName: String
    package var datacenter: String
    /// `host:port` that peers dial.
    package var advertisedAddress: String
    package var listenHost: String
    package var listenPort: Int
    /// Forms a cluster of this server alone when its log is empty.
    package var bootstraps = false
    /// Forms a cluster once this many new servers know of one another; 0 never.
    package var bootstrapExpect = 0
    /// `host:port` of servers to ask for a cluster.
    package var joinAddresses: [String] = []
    /// Where the log and the snapshots lie.
    package var directory: String
    /// How the connections to and from other servers are protected when the log is opened.
    package var security = PeerSecurity()
    package var timing = RaftTiming.servers
    package var limits = ConsensusLimits()
    package var snapshots = SnapshotSettings()
    /// What other servers are told of this one.
    package var attributes: [String: String] = [:]

    package init(
        id: NodeID,
        nodeName: String,
        datacenter: String,
        advertisedAddress: String,
        listenHost: String,
        listenPort: Int,
        directory: String
    ) {
        self.id = id
        self.nodeName = nodeName
        self.datacenter = datacenter
        self.advertisedAddress = advertisedAddress
        self.listenHost = listenHost
        self.listenPort = listenPort
        self.directory = directory
    }
}

/// When snapshots are taken, and what is kept of the log behind them.
package struct SnapshotSettings: Sendable {
    /// Entries since the last snapshot; at about this many the next one is taken.
    package var entries: UInt64 = 100_000
    /// Bytes of entries since the last snapshot; at about this many the next one is taken.
    package var bytes = 64 << 20
    /// The least time from one snapshot to the next that entries alone ask for.
    package var interval = Nanoseconds.seconds(30)
    /// Entries that stay in the log behind a snapshot, for followers that are a little behind.
    package var trailingEntries: UInt64 = 10_240
    /// Entries that stay at most, for followers that are further behind but alive.
    package var mostTrailingEntries: UInt64 = 2_000_000
    /// How long a silent follower counts as alive in this.
    package var patience = Nanoseconds.seconds(60)

    package init() {}
}

/// What bounds the shell of the log, and what happens at each bound.
package struct ConsensusLimits: Sendable {
    /// How long a write or read waits for a leader, and a write for its outcome.
    ///
    /// - Source: Consul: `rpc_hold_timeout`.
    package var holdTime = Nanoseconds.seconds(7)
    /// Between two looks at what has waited too long.
    package var sweepInterval = TimeAmount.milliseconds(50)
    /// How long a forwarded write waits for its outcome before it is sent again.
    package var resendInterval = Nanoseconds.milliseconds(1_000)
    /// Writes in one message to the leader.
    package var forwardedWrites = 512
    /// Bytes of writes in one message to the leader.
    package var forwardedBytes = 1 << 20
    /// How long proposals are gathered while the disk is busy; a slower disk is not waited for.
    package var gatherTime = Nanoseconds.milliseconds(20)
    /// Proposals that are gathered while the disk is busy; more are not kept waiting.
    package var gatheredProposals = 512
    /// Bytes of proposals that are gathered while the disk is busy; more are not kept waiting.
    package var gatheredBytes = 256 << 10
    /// Bytes of entries read back from disk at a time.
    package var readBackBytes = 4 << 20
    /// Between two rounds of asking the joining addresses, while there is no leader.
    package var joinInterval = TimeAmount.milliseconds(500)
    /// The same, while there is one.
    package var joinedInterval = TimeAmount.seconds(5)
    /// How long the answer to a greeting is waited for.
    package var helloTimeout = TimeAmount.seconds(1)
    /// How long a stopping leader waits for its successor.
    package var transferTime = TimeAmount.seconds(2)
    /// Between two looks at the disk: free space, and the next piece of the log to verify.
    package var diskCheckInterval = TimeAmount.seconds(10)
    /// Between two words to the other servers of what is on this one's disk.
    package var standingInterval = TimeAmount.seconds(1)
    /// Bytes of the log verified at each of these looks.
    package var scrubBytes = 4 << 20

    package init() {}
}

extension RaftTiming {
    /// What servers begin with: a dead leader is replaced within three quarters of a second, a busy
    /// one may be late by five heartbeats.
    package static var servers: RaftTiming {
        var timing = RaftTiming()
        timing.heartbeatInterval = .milliseconds(50)
        timing.electionTimeout = .milliseconds(350)
        timing.leaderLease = .milliseconds(260)
        return timing
    }

    /// The same, every length multiplied.
    ///
    /// - Source: Consul: docs/install/performance `raft_multiplier`.
    package func stretched(by factor: Int) -> RaftTiming {
        var timing = self
        let factor = Int64(max(1, factor))
        timing.heartbeatInterval = Nanoseconds(rawValue: heartbeatInterval.rawValue * factor)
        timing.electionTimeout = Nanoseconds(rawValue: electionTimeout.rawValue * factor)
        timing.leaderLease = Nanoseconds(rawValue: leaderLease.rawValue * factor)
        return timing
    }
}
