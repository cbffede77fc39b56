import MusterAPI

/// What an in-memory registry knows; pure: time is told, nothing is sent.
///
/// It is one agent that is its own server, like `consul agent -dev`, with one node.
struct InMemoryState {
    /// What a reader depends on; a change of it wakes those who block on it.
    enum Topic: Hashable {
        case service(String)
        case services
        case checks
        case key(String)
        case sessions
        case nodes
    }

    struct Check {
        var value: HealthCheck
        /// nil unless it is a check that the application reports.
        var timeToLive: Duration?
        /// When it turns critical unless reported before.
        var expires: ContinuousClock.Instant?
        var deregisterAfter: Duration?
        /// Since when it has been critical.
        var criticalSince: ContinuousClock.Instant?
    }

    struct Session {
        var value: SessionEntry
        /// When it is over unless renewed before.
        var expires: ContinuousClock.Instant?
    }

    /// The name of the only node.
    static let node = "in-memory"
    /// The address of the only node.
    static let address = "127.0.0.1"
    static let datacenter = "dc1"

    /// The index of the last change.
    private(set) var index: UInt64 = 1
    /// The index of the last change of each topic, of those that are gone too.
    private(set) var touched: [Topic: UInt64] = [:]

    var services: [String: AgentService] = [:]
    var checks: [String: Check] = [:]
    var keys: [String: KeyValuePair] = [:]
    var sessions: [String: Session] = [:]
    /// Keys whose holder was lost, and until when nobody else may lock them.
    var lockDelays: [String: ContinuousClock.Instant] = [:]
    /// How many sessions there ever were: their ids are made from it.
    var sessionCount: UInt64 = 0

    /// Counts a change and says what it concerns.
    ///
    /// - Returns: The index of the change.
    @discardableResult
    mutating func change(_ topics: Topic...) -> UInt64 {
        index += 1
        for topic in topics { touched[topic] = index }
        return index
    }

    /// The index of the last change of any of the topics; 1 when there was none.
    func lastChange(_ topics: Topic...) -> UInt64 {
        topics.compactMap { touched[$0] }.max() ?? 1
    }

    /// The index of the last change of the keys that begin with `prefix`.
    func lastChange(ofKeysUnder prefix: String) -> UInt64 {
        touched.compactMap { topic, index in
            if case .key(let key) = topic, key.hasPrefix(prefix) { return index }
            return nil
        }.max() ?? 1
    }

    /// When something happens by itself next.
    var nextDeadline: ContinuousClock.Instant? {
        let ends = checks.values.compactMap(\.expires)
        let removals = checks.values.compactMap { check in
            check.criticalSince.flatMap { since in check.deregisterAfter.map { since + $0 } }
        }
        return (ends + removals + sessions.values.compactMap(\.expires)).min()
    }

    /// Lets everything happen that is due.
    mutating func expire(now: ContinuousClock.Instant) {
        for (id, check) in checks.sorted(by: { $0.key < $1.key }) {
            if let expires = check.expires, expires <= now {
                checks[id]?.expires = nil
                set(.critical, of: id, output: "TTL expired", now: now)
            }
        }
        for (_, check) in checks.sorted(by: { $0.key < $1.key }) {
            guard let since = check.criticalSince, let after = check.deregisterAfter,
                since + after <= now, !check.value.serviceID.isEmpty
            else { continue }
            deregister(serviceID: check.value.serviceID)
        }
        for (id, session) in sessions.sorted(by: { $0.key < $1.key }) {
            if let expires = session.expires, expires <= now {
                invalidate(sessionID: id, now: now)
            }
        }
        lockDelays = lockDelays.filter { $0.value > now }
    }

    /// What a process that is killed and started again has lost: what agents were told.
    mutating func forgetAgentState() {
        let sessionCount = sessionCount
        self = InMemoryState()
        // No registry gives a session's id twice, whatever it forgot.
        self.sessionCount = sessionCount
    }
}

/// Why a request is refused.
struct InMemoryRefusal: Error {
    var status: Int
    var message: String

    init(_ status: Int, _ message: String) {
        self.status = status
        self.message = message
    }
}
