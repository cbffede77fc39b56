package import Model
import NIOCore
package import Replica
package import Wire

/// Writes as handlers make them: propose, then answer from the result.
package enum Proposals {
    /// Proposes a command; `reply` makes the answer of what the state gave.
    package static func propose(
        _ command: Command,
        _ context: RequestContext,
        reply: @escaping @Sendable (CommandResult) -> Reply
    ) -> Outcome {
        let replica = context.services.replica
        return .pending { responder in
            replica.propose(command, on: responder.eventLoop) { outcome in
                responder.send(answer(outcome, reply))
            }
        }
    }

    private static func answer(
        _ outcome: ProposalOutcome,
        _ reply: (CommandResult) -> Reply
    ) -> Reply {
        switch outcome {
        case .success(.refused(.invalid(let message))): .text(.internalError, message)
        case .success(let result): reply(result)
        case .failure(let error): refusal(error)
        }
    }

    /// What is said when a proposal failed.
    package static func refusal(_ error: ProposalError) -> Reply {
        HTTPError(error).reply
    }
}

extension HTTPError {
    /// The one table of why the log failed a write or a read, as status and text.
    ///
    /// - Source: Consul: "No cluster leader" with status 500; `raft.ErrLeadershipLost`.
    init(_ error: ProposalError) {
        switch error.code {
        case .noLeader: self = .failed("No cluster leader")
        case .overloaded: self.init(.tooManyRequests, error.message)
        case .tooLarge: self.init(.tooLarge, error.message)
        case .leadershipLost: self = .failed("leadership lost while committing log")
        case .stopped: self = .failed(error.message)
        }
    }
}

extension Request {
    /// The body as a record, or what Consul answers to one it cannot read.
    package func decodeBody<Record: WireValue>(
        _ type: Record.Type,
        refusesUnknownKeys: Bool = true,
        failure: String = "Request decode failed"
    ) throws(HTTPError) -> Record {
        let result = body.withUnsafeReadableBytes { bytes in
            Result { () throws(WireError) in
                try JSON.decode(type, from: bytes, refusesUnknownKeys: refusesUnknownKeys)
            }
        }
        switch result {
        case .success(let record): return record
        case .failure(let error): throw .badRequest("\(failure): \(error.message)")
        }
    }
}
