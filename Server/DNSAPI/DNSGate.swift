import Model
import NIOCore
import Replica

/// Tells one event loop whether queries may be answered from what is published, and has them wait
/// where they may not.
///
/// - Source: Consul: docs/agent/options `dns_config` `allow_stale`, `max_stale`.
final class DNSGate {
    typealias Continuation = (_ isReadable: Bool) -> Void

    /// Those that share a question.
    private final class Batch {
        var continuations: [Continuation] = []
    }

    private let replica: Replica
    private let allowsStale: Bool
    private let maximumStaleness: Nanoseconds
    private var lastContact = Nanoseconds.zero
    private var lastLook = NIODeadline.distantPast
    /// Not asked for yet: that happens at the end of the loop's turn.
    private var batch: Batch?
    /// Asked or not, and not answered.
    private var held = 0

    /// For how long what is known of the leader is not looked up again.
    private static let interval = TimeAmount.milliseconds(1)

    init(replica: Replica, settings: DNSSettings) {
        self.replica = replica
        allowsStale = settings.allowsStale
        maximumStaleness = settings.maximumStaleness
    }

    /// Whether a query that came before `now` may be answered from what is loaded next.
    func isOpen(at now: NIODeadline) -> Bool {
        guard allowsStale else { return replica.isCurrentCertain }
        if now - lastLook >= Self.interval {
            lastContact = replica.leadership.lastContact
            lastLook = now
        }
        return lastContact <= maximumStaleness || replica.isCurrentCertain
    }

    /// Calls back on the loop, in a later turn, when the query may be answered or cannot be; false
    /// when too many wait already.
    func wait(on eventLoop: any EventLoop, _ continuation: @escaping Continuation) -> Bool {
        guard held < DNSLimits.heldQueries else { return false }
        held += 1
        if let batch {
            batch.continuations.append(continuation)
            return true
        }
        let new = Batch()
        new.continuations.append(continuation)
        batch = new
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.ask(on: eventLoop) }
        return true
    }

    private func ask(on eventLoop: any EventLoop) {
        guard let asked = batch else { return }
        batch = nil
        let bound = NIOLoopBound((gate: self, batch: asked), eventLoop: eventLoop)
        replica.awaitReadable(.current, on: eventLoop) { error in
            let (gate, batch) = bound.value
            let continuations = batch.continuations
            batch.continuations = []
            gate.held -= continuations.count
            for continuation in continuations { continuation(error == nil) }
        }
    }
}
