import Model
import NIOCore
import StateMachine

@testable import Replica

/// An in-memory log that is busy, refuses or has lost its lease when a test says so; it counts the
/// batches it is given.
final class ControlledLog: ReplicatedLog {
    private struct State {
        var isBusy = false
        var refusal: ProposalError?
        var unreadable: ProposalError?
        var batches: [Int] = []
        var deliver: (ReplicationEvent) -> Void = { _ in }
    }

    private let log: InMemoryLog
    private let state: NIOLoopBoundBox<State>

    init(loop: any EventLoop) {
        let server = LogServer(id: "s1", nodeName: "one", address: "127.0.0.1:8300", isVoter: true)
        log = InMemoryLog(server: server)
        state = NIOLoopBoundBox(State(), eventLoop: loop)
    }

    /// The lengths of the batches so far.
    var batches: [Int] { state.value.batches }

    func setBusy(_ isBusy: Bool) {
        state.value.isBusy = isBusy
        if !isBusy { state.value.deliver(.ready) }
    }

    var isBusy: Bool { state.value.isBusy }

    /// Why every proposal is refused; nil takes them.
    func refuse(_ error: ProposalError?) { state.value.refusal = error }

    /// Why nothing can be read; nil lets everything be read.
    func setUnreadable(_ error: ProposalError?) { state.value.unreadable = error }

    func propose(_ entries: [ProposedEntry]) {
        state.value.batches.append(entries.count)
        if let refusal = state.value.refusal {
            return state.value.deliver(.refused(entries.map(\.id), refusal))
        }
        log.propose(entries)
    }

    func start(
        deliver: @escaping (ReplicationEvent) -> Void,
        capture: @escaping () -> StateMachine
    ) {
        state.value.deliver = deliver
        log.start(deliver: deliver, capture: capture)
    }

    func applied(through index: LogIndex) { log.applied(through: index) }

    func awaitReadable(
        _ requirement: ReadRequirement,
        completion: @escaping (ProposalError?) -> Void
    ) {
        if let unreadable = state.value.unreadable { return completion(unreadable) }
        log.awaitReadable(requirement, completion: completion)
    }

    func ask(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {
        log.ask(request, completion: completion)
    }

    func perform(_ request: LeaderRequest, completion: @escaping (LeaderReply) -> Void) {
        log.perform(request, completion: completion)
    }

    func stop(completion: @escaping () -> Void) { log.stop(completion: completion) }

    var proposer: Proposer { log.proposer }
    var leadership: Leadership { log.leadership }
    var gate: ReadGate { log.gate }
}
