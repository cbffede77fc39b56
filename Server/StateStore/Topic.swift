/// Something a query reads and a commit may touch.
///
/// A query lists the topics its answer depends on; a commit lists those it touched. A parked query is
/// evaluated again only when the two meet. Names are folded (`String.folded`): make topics through
/// queries, not by hand.
package enum Topic: Hashable, Sendable {
    /// Any node record.
    case nodes
    /// One node's own record.
    case node(String)
    /// Any service instance of any node.
    case services
    /// Which services exist and which tags each has.
    case serviceNames
    /// What `health/service` shows of one service: instances, their checks, their nodes.
    case service(String)
    /// The same of the instances that offer a service through the mesh.
    case connect(String)
    /// The service instances of one node.
    case nodeServices(String)
    /// Any check.
    case checks
    /// Which checks have this status, and what they look like.
    case checksInState(String)
    /// The checks of one node.
    case nodeChecks(String)
    /// The checks of one service's instances.
    case serviceChecks(String)
    /// One key.
    case key(String)
    /// Every key that begins with this.
    case keyPrefix(String)
    case sessions
    case session(String)
    case nodeSessions(String)
    case coordinates
    case coordinate(String)
    case autopilot
}
