package import Model
import NIOCore
import StateMachine

/// Why a command did not enter the registry, or may not have.
package struct ProposalError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    package enum Code: Hashable, Sendable {
        /// No server leads; nothing was written.
        case noLeader
        /// The queue before the log is full; nothing was written.
        case overloaded
        /// The command is larger than the limit; nothing was written.
        case tooLarge
        /// The server is stopping; the command may or may not have been written.
        case stopped
        /// Leadership was lost while the command was in the log; it may or may not survive.
        case leadershipLost
    }

    /// It was in the log of a leader that was lost, and nobody could say more in time.
    package static let outcomeUnknown = ProposalError(
        .leadershipLost,
        "leadership lost while committing log"
    )
    package static let noLeader = ProposalError(.noLeader, "No cluster leader")

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String {
        message
    }
}

/// What a proposer gets: the state's answer, or the reason why there is none.
package typealias ProposalOutcome = Result<CommandResult, ProposalError>

/// A proposal between `Replica.propose` and its answer.
struct PendingProposal: Sendable {
    /// Given when it is queued.
    var id: ProposalID
    let kind: EntryKind
    /// Nil unless `kind` is `command`, and after it was taken.
    private var command: Command?
    /// Room for the head, then the body; empty once it was handed to the log.
    private(set) var bytes: [UInt8]
    let loop: any EventLoop
    let completion: ProposalCompletion

    init(
        id: ProposalID,
        kind: EntryKind,
        command: Command?,
        bytes: [UInt8],
        loop: any EventLoop,
        completion: ProposalCompletion
    ) {
        self.id = id
        self.kind = kind
        self.command = command
        self.bytes = bytes
        self.loop = loop
        self.completion = completion
    }

    mutating func takeCommand() -> Command? {
        command.take()
    }

    mutating func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }
}

/// Who is told what became of a proposal.
enum ProposalCompletion: Sendable {
    case plain(@Sendable (ProposalOutcome) -> Void)
    case identified(@Sendable (ProposalOutcome, ProposalID) -> Void)

    func callAsFunction(_ outcome: ProposalOutcome, _ id: ProposalID) {
        switch self {
        case .plain(let tell): tell(outcome)
        case .identified(let tell): tell(outcome, id)
        }
    }
}

/// Answers that wait for the end of a batch, then reach each event loop in one task.
struct CompletionBatch {
    private struct Answer: Sendable {
        let completion: ProposalCompletion
        let outcome: ProposalOutcome
        let id: ProposalID
    }

    private struct Group {
        let loop: any EventLoop
        var answers: [Answer]
    }

    private var groups: [Group] = []

    mutating func append(_ proposal: PendingProposal, _ outcome: ProposalOutcome) {
        let answer = Answer(
            completion: proposal.completion,
            outcome: outcome,
            id: proposal.id
        )
        for position in groups.indices where groups[position].loop === proposal.loop {
            groups[position].answers.append(answer)
            return
        }
        groups.append(Group(loop: proposal.loop, answers: [answer]))
    }

    /// Posts every answer to its loop, in the order of the log.
    func send() {
        for group in groups {
            let answers = group.answers
            group.loop.execute {
                for answer in answers { answer.completion(answer.outcome, answer.id) }
            }
        }
    }
}
