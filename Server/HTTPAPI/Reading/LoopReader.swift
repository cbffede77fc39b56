import Model
import NIOCore
import Replica

/// Evaluates reads on one event loop and completes their replies with what is common to all.
final class LoopReader {
    let services: APIServices
    let watches: WatchRegistry
    let renderer: ReplyRenderer

    init(services: APIServices, watches: WatchRegistry, renderer: ReplyRenderer) {
        self.services = services
        self.watches = watches
        self.renderer = renderer
    }

    private var replica: Replica { services.replica }

    /// The newest publication, for one atomic load.
    var generation: UInt64 { replica.generation }

    /// Evaluates a query on the newest published state.
    ///
    /// The state has every write that was acknowledged anywhere, which on the leader is what the
    /// default and the consistent mode promise.
    func evaluate(_ query: ReadQuery) throws(HTTPError) -> ReadAnswer {
        guard query.options.datacenter == services.settings.datacenter else {
            throw .failed("No path to datacenter")
        }
        if query.options.consistency != .stale, replica.leadership.leader == nil {
            throw .failed("No cluster leader")
        }
        let state = replica.current
        var answer = try query.evaluate(state)
        answer.generation = state.generation
        return answer
    }

    /// The reply with the fields that tell about index, leader and consistency.
    ///
    /// - Source: Consul: api-docs/features/consistency, blocking; observed on 1.8.7.
    func finished(_ answer: ReadAnswer, _ query: ReadQuery) -> Reply {
        guard answer.announcesIndex else { return answer.reply }
        let leadership = replica.leadership
        var reply = answer.reply
        let index = max(1, answer.index.rawValue)
        let contact = max(0, leadership.lastContact.rawValue / 1_000_000)
        reply.headers.append(("X-Consul-Index", String(index)))
        reply.headers.append(("X-Consul-Knownleader", leadership.leader == nil ? "false" : "true"))
        reply.headers.append(("X-Consul-Lastcontact", String(contact)))
        if query.options.announcesConsistency {
            let name =
                switch query.options.consistency {
                case .standard: "leader"
                case .consistent: "consistent"
                case .stale: "stale"
                }
            reply.headers.append(("X-Consul-Effective-Consistency", name))
        }
        if query.options.usesCache {
            services.cachedQueries.announce(query.cacheIdentity, in: &reply)
        }
        return reply
    }

    /// The reply to a read that failed: its index is 1 and it knows of no leader.
    func refused(_ error: HTTPError, _ query: ReadQuery) -> Reply {
        var reply = error.reply
        guard query.options.announcesFailures, error.status == .internalError else { return reply }
        reply.headers.append(("X-Consul-Index", "1"))
        reply.headers.append(("X-Consul-Knownleader", "false"))
        reply.headers.append(("X-Consul-Lastcontact", "0"))
        return reply
    }
}
