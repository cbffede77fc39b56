import Model
import NIOCore
import Replica

/// Evaluates reads on one event loop and completes their replies with what is common to all.
final class LoopReader {
    let services: APIServices
    let watches: WatchRegistry
    let renderer: ReplyRenderer
    let barrier: ReadBarrier

    init(
        services: APIServices,
        watches: WatchRegistry,
        renderer: ReplyRenderer,
        eventLoop: any EventLoop
    ) {
        self.services = services
        self.watches = watches
        self.renderer = renderer
        barrier = ReadBarrier(replica: services.replica, eventLoop: eventLoop)
    }

    private var replica: Replica { services.replica }

    /// The newest publication, for one atomic load.
    var generation: UInt64 { replica.generation }

    /// Whether a query may be evaluated at once.
    func admission(of query: ReadQuery) -> ReadBarrier.Admission {
        // What is not for this datacenter is refused without asking anyone.
        guard query.options.datacenter == services.settings.datacenter else {
            return .now(ReadStanding())
        }
        return barrier.admission(of: query.options)
    }

    /// Evaluates a query on the newest published state; only after it was admitted.
    func evaluate(
        _ query: ReadQuery,
        _ standing: ReadStanding
    ) throws(HTTPError) -> ReadAnswer {
        guard query.options.datacenter == services.settings.datacenter else {
            throw .failed("No path to datacenter")
        }
        let state = replica.current
        var answer = try query.evaluate(state)
        answer.generation = state.generation
        answer.standing = standing
        return answer
    }

    /// Evaluates a query once it may be: at once, or later on the loop.
    func read(_ query: ReadQuery, _ body: @escaping (Result<ReadAnswer, HTTPError>) -> Void) {
        switch admission(of: query) {
        case .now(let standing): body(result(query, standing))
        case .after(let requirement):
            barrier.wait(for: requirement) { error in
                if let error { return body(.failure(HTTPError(error))) }
                self.watches.synchronize()
                body(self.result(query, ReadStanding()))
            }
        }
    }

    private func result(
        _ query: ReadQuery,
        _ standing: ReadStanding
    ) -> Result<ReadAnswer, HTTPError> {
        Result { () throws(HTTPError) in try evaluate(query, standing) }
    }

    /// The reply with the fields that tell about index, leader and consistency.
    ///
    /// - Source: Consul: api-docs/features/consistency, blocking; observed on 1.8.7.
    func finished(_ answer: ReadAnswer, _ query: ReadQuery) -> Reply {
        guard answer.announcesIndex else { return answer.reply }
        let standing = answer.standing
        var reply = answer.reply
        let index = max(1, answer.index.rawValue)
        reply.headers.append(("X-Consul-Index", String(index)))
        reply.headers.append(("X-Consul-Knownleader", standing.knowsLeader ? "true" : "false"))
        let contact = standing.lastContactMilliseconds
        reply.headers.append((ReplyRenderer.contactField, String(contact)))
        if query.options.announcesConsistency {
            let name =
                switch query.options.consistency {
                case .standard: "leader"
                case .consistent: "consistent"
                case .stale: standing.isStale ? "stale" : "leader"
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
