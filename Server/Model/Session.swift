/// A session: what holds locks, bound to a node and its checks.
///
/// - Source: Consul: docs/internals/sessions; RPC sheet §7 "Session".
package struct Session: Hashable, Sendable {
    /// A UUID, chosen by the leader before the command enters the log.
    package var id: String = ""
    package var name: String = ""
    package var node: String = ""
    /// Checks of the node that must not be critical; the names of the old `Checks` field land here
    /// too.
    package var nodeChecks: [String]?
    package var serviceChecks: [ServiceCheckReference]?
    /// The deprecated `Checks` field as given, kept for replies.
    package var checks: [String]?
    /// How long a lock of this session stays closed after the session was invalidated.
    package var lockDelay = Nanoseconds.zero
    package var behavior: SessionBehavior = .release
    /// As given (`15s`), or empty for no expiry.
    package var ttl: String = ""
    package var indexes = RecordIndexes()

    package init() {}
}

/// What happens to the keys a session holds when it ends; raw values are the wire's.
package enum SessionBehavior: String, Hashable, Sendable {
    case release
    case delete
}

/// A service check that a session depends on.
package struct ServiceCheckReference: Hashable, Sendable {
    package var id: String = ""
    package var namespace: String = ""

    package init() {}
}
