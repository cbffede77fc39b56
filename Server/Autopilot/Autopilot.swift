package import Model

/// Watches the servers of a log for their leader: who is well, who may vote, who is given up.
///
/// The leader makes one when it takes office, so that everything is counted from then, and calls
/// `review` every `interval`. At most one change of the members comes out of a review; the next
/// review sees what became of it.
///
/// - Source: Consul: docs/internals/autopilot, observed on 1.8.7.
package struct Autopilot: Sendable {
    /// What is remembered of a server between two reviews.
    private struct Memory {
        var isHealthy: Bool
        var since: Instant
        var stableSince: Timestamp
        /// Nil while it is reachable.
        var unreachableSince: Instant?
    }

    /// How often the leader reviews the servers.
    ///
    /// - Source: Consul: `ServerHealthInterval`.
    package static let interval = Nanoseconds.seconds(2)

    /// How long a server must have been unreachable before it is given up.
    ///
    /// - Deviation: Consul believes its gossip, in which every server has a say. Here only the
    ///   leader tells, so it waits longer than any restart should take; a server that comes back
    ///   later joins again.
    package static let deadAfter = Nanoseconds.seconds(60)

    private let deadAfter: Nanoseconds
    private var memories: [UInt128: Memory] = [:]

    /// Makes one that knows nothing yet; servers are dead after `deadAfter` without a sign.
    package init(deadAfter: Nanoseconds = Autopilot.deadAfter) {
        self.deadAfter = deadAfter
    }

    /// Judges every server and decides on the next change of the members.
    ///
    /// - Parameters:
    ///   - servers: all servers of the log, each once; the leader is one of them.
    ///   - leader: how far the leader's log is.
    ///   - configuration: the settings in force.
    ///   - now: the time that durations are measured by.
    ///   - wallClock: the time that people are told.
    /// - Returns: the servers in the order given, and what to do.
    package mutating func review(
        _ servers: [ServerObservation],
        leader: LogEnd,
        configuration: AutopilotConfiguration,
        now: Instant,
        wallClock: Timestamp
    ) -> AutopilotReview {
        var known: [UInt128: Memory] = [:]
        var records: [ServerRecord] = []
        for server in servers {
            precondition(known[server.id] == nil, "server \(server.id) is there twice")
            let isHealthy = Autopilot.isHealthy(server, leader, configuration)
            let memory = recall(server, isHealthy, now, wallClock)
            known[server.id] = memory
            records.append(
                ServerRecord(
                    server: server,
                    isHealthy: isHealthy,
                    stableSince: memory.stableSince
                )
            )
        }
        memories = known
        let voters = records.filter(\.server.isVoter)
        let healthyVoters = voters.count { $0.isHealthy }
        var review = AutopilotReview(
            servers: records,
            failureTolerance: max(0, healthyVoters - (voters.count / 2 + 1))
        )
        review.action = promotion(records, configuration, now)
        if review.action == nil, configuration.cleanupDeadServers {
            decideRemoval(records, configuration, now, &review)
        }
        return review
    }

    // MARK: Health

    /// - Source: Consul: `IsHealthy` of 1.8.7.
    private static func isHealthy(
        _ server: ServerObservation,
        _ leader: LogEnd,
        _ configuration: AutopilotConfiguration
    ) -> Bool {
        if server.isLeader { return true }
        guard server.isReachable, let lastContact = server.lastContact,
            lastContact <= configuration.lastContactThreshold, server.last.term == leader.term
        else { return false }
        let behind = leader.index.rawValue.subtractingReportingOverflow(server.last.index.rawValue)
        return behind.overflow || behind.partialValue <= configuration.maxTrailingLogs
    }

    private func recall(
        _ server: ServerObservation,
        _ isHealthy: Bool,
        _ now: Instant,
        _ wallClock: Timestamp
    ) -> Memory {
        var memory =
            memories[server.id]
            ?? Memory(isHealthy: isHealthy, since: now, stableSince: wallClock)
        if memory.isHealthy != isHealthy {
            memory.isHealthy = isHealthy
            memory.since = now
            memory.stableSince = wallClock
        }
        if server.isReachable || server.isLeader {
            memory.unreachableSince = nil
        } else if memory.unreachableSince == nil {
            memory.unreachableSince = now
        }
        return memory
    }

    // MARK: Changes

    /// The first learner that has been well for long enough.
    private func promotion(
        _ records: [ServerRecord],
        _ configuration: AutopilotConfiguration,
        _ now: Instant
    ) -> AutopilotAction? {
        let least = configuration.serverStabilizationTime
        let ready = records.filter { record in
            guard !record.server.isVoter, record.isHealthy,
                let memory = memories[record.server.id]
            else { return false }
            return now.since(memory.since) >= least
        }
        return ready.map(\.server.id).min().map { .promote($0) }
    }

    /// Gives up one dead server, if all that are dead are few enough to be spared.
    ///
    /// - Source: Consul: `canRemoveServers` of 1.8.7.
    private func decideRemoval(
        _ records: [ServerRecord],
        _ configuration: AutopilotConfiguration,
        _ now: Instant,
        _ review: inout AutopilotReview
    ) {
        let dead = records.filter { record in
            guard !record.server.isLeader,
                let since = memories[record.server.id]?.unreachableSince
            else { return false }
            return now.since(since) >= deadAfter
        }
        guard let first = dead.map(\.server.id).min() else { return }
        let voters = records.count { $0.server.isVoter }
        guard voters - dead.count >= Int(clamping: configuration.minQuorum) else {
            review.refusal = .belowMinimumQuorum(dead: dead.count, voters: voters)
            return
        }
        guard dead.count <= (voters - 1) / 2 else {
            review.refusal = .tooManyDead(dead: dead.count, voters: voters)
            return
        }
        review.action = .remove(first)
    }
}
