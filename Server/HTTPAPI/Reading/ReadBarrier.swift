import Model
import NIOCore
import Replica

/// What a reply tells about how current it is.
struct ReadStanding: Hashable, Sendable {
    /// It was read without asking whether it is current.
    var isStale = false
    var knowsLeader = true
    /// How long ago the leader was heard; zero for what is current.
    var lastContact = Nanoseconds.zero

    var lastContactMilliseconds: Int {
        Int(max(0, lastContact.rawValue / 1_000_000))
    }
}

/// Admits the reads of one event loop: at once when what is published is current enough, otherwise
/// after the log has said that it is.
///
/// All reads that come in one turn of the loop share one question; one that comes later shares the
/// next, because an answer is only good for reads that came before the question.
///
/// - Source: Raft dissertation §6.4; Consul: api-docs/features/consistency.
final class ReadBarrier {
    /// How a read is admitted.
    enum Admission {
        /// Whoever loads `Replica.current` after this was given reads what was asked for.
        case now(ReadStanding)
        /// `wait` must say so first.
        case after(ReadRequirement)
    }

    typealias Continuation = (ProposalError?) -> Void

    /// Those that share a question.
    private final class Batch {
        var continuations: [Continuation] = []
    }

    private let replica: Replica
    private let eventLoop: any EventLoop
    /// The batches that were not asked for yet; they are at the end of the loop's turn.
    private var current: Batch?
    private var confirmed: Batch?
    private var stale = ReadStanding(isStale: true)
    private var staleSince = NIODeadline.distantPast

    /// For how long what is known of the leader is not looked up again.
    private static let staleness = TimeAmount.milliseconds(1)

    init(replica: Replica, eventLoop: any EventLoop) {
        self.replica = replica
        self.eventLoop = eventLoop
    }

    /// Whether a read that asks now may be answered at once.
    func admission(of options: QueryOptions) -> Admission {
        switch options.consistency {
        case .stale:
            if let standing = staleStanding(for: options) { return .now(standing) }
            return defaultAdmission
        case .standard: return defaultAdmission
        case .consistent: return .after(.confirmed)
        }
    }

    private var defaultAdmission: Admission {
        replica.isCurrentCertain ? .now(ReadStanding()) : .after(.current)
    }

    /// What a stale read tells, or nil when that is staler than it accepts.
    func staleStanding(for options: QueryOptions) -> ReadStanding? {
        let standing = staleStanding
        guard let most = options.maximumStaleness, standing.lastContact > most else {
            return standing
        }
        return nil
    }

    /// What is known of the leader, at most a millisecond old.
    var staleStanding: ReadStanding {
        let now = eventLoop.now
        guard now - staleSince >= Self.staleness else { return stale }
        let leadership = replica.leadership
        stale.knowsLeader = leadership.leader != nil
        stale.lastContact = leadership.lastContact
        staleSince = now
        return stale
    }

    /// Calls back on the loop, in a later turn, when the reads that wait are current, or cannot be
    /// known to be.
    func wait(for requirement: ReadRequirement, _ continuation: @escaping Continuation) {
        let batch: Batch
        switch requirement {
        case .current: batch = Self.join(&current)
        case .confirmed: batch = Self.join(&confirmed)
        }
        batch.continuations.append(continuation)
        guard batch.continuations.count == 1 else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.ask(requirement) }
    }

    private static func join(_ place: inout Batch?) -> Batch {
        if let batch = place { return batch }
        let batch = Batch()
        place = batch
        return batch
    }

    private func ask(_ requirement: ReadRequirement) {
        let asked: Batch?
        switch requirement {
        case .current:
            asked = current
            current = nil
        case .confirmed:
            asked = confirmed
            confirmed = nil
        }
        guard let asked else { return }
        let bound = NIOLoopBound(asked, eventLoop: eventLoop)
        replica.awaitReadable(requirement, on: eventLoop) { error in
            for continuation in bound.value.continuations { continuation(error) }
            bound.value.continuations = []
        }
    }
}

extension RequestContext {
    /// A reply made of the newest state as soon as a read with these options may be answered.
    func admitted(
        _ options: QueryOptions,
        _ make: @escaping (ReadStanding) throws(HTTPError) -> Reply
    ) throws(HTTPError) -> Outcome {
        let barrier = loop.reader.barrier
        switch barrier.admission(of: options) {
        case .now(let standing): return .reply(try make(standing))
        case .after(let requirement):
            return .pending { responder in
                barrier.wait(for: requirement) { error in
                    do throws(HTTPError) {
                        if let error { throw HTTPError(error) }
                        responder.send(try make(ReadStanding()))
                    } catch {
                        responder.send(error.reply)
                    }
                }
            }
        }
    }
}
