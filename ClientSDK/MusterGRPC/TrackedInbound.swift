#if GRPC
import GRPCCore
import MusterBalancing
import MusterDiscovery

/// The parts of a response, which tell the balancer how the call went as they pass.
struct TrackedInbound<Bytes: GRPCContiguousBytes & Sendable>: AsyncSequence, Sendable {
    typealias Element = RPCResponsePart<Bytes>
    typealias Failure = any Error

    let base: RPCAsyncSequence<RPCResponsePart<Bytes>, any Error>
    let call: OpenCall
    /// Whether nothing is given before the status is there.
    ///
    /// With the first part gRPC takes a call for answered and does not retry it. Of a response with
    /// one message nobody has use for a part: an instance that dies in its midst then costs a
    /// retry and not the call.
    let holdsBack: Bool
    /// Told of a status that another instance may spare the caller.
    let onUnavailable: @Sendable () -> Void

    func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator(), tracked: self)
    }

    struct Iterator: AsyncIteratorProtocol {
        var base: RPCAsyncSequence<RPCResponsePart<Bytes>, any Error>.AsyncIterator
        let tracked: TrackedInbound
        /// What is held back, the next part last.
        private var ready: [RPCResponsePart<Bytes>] = []
        private var isComplete = false

        init(
            base: RPCAsyncSequence<RPCResponsePart<Bytes>, any Error>.AsyncIterator,
            tracked: TrackedInbound
        ) {
            self.base = base
            self.tracked = tracked
        }

        mutating func next() async throws -> RPCResponsePart<Bytes>? {
            try await next(isolation: nil)
        }

        mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(any Error) -> RPCResponsePart<Bytes>? {
            guard tracked.holdsBack else { return try await take(isolation: actor) }
            if !isComplete {
                var parts: [RPCResponsePart<Bytes>] = []
                while let part = try await take(isolation: actor) {
                    parts.append(part)
                    if case .status = part { break }
                    // More than one message is a mistake that gRPC reports.
                    if parts.count > Limits.heldParts { break }
                }
                isComplete = true
                ready = parts.reversed()
            }
            if let part = ready.popLast() { return part }
            return try await take(isolation: actor)
        }

        private mutating func take(
            isolation actor: isolated (any Actor)?
        ) async throws(any Error) -> RPCResponsePart<Bytes>? {
            do {
                let part = try await base.next(isolation: actor)
                switch part {
                case .metadata: tracked.call.answered(.success)
                case .status(let status, _):
                    if status.code == .unavailable { tracked.onUnavailable() }
                    let outcome = CallOutcome(status.code)
                    // A stream that is cancelled may still say so: why is known when it ends.
                    if outcome == .cancelled {
                        tracked.call.answered(outcome)
                    } else {
                        tracked.call.complete(outcome)
                    }
                case .message, nil: break
                }
                return part
            } catch {
                if (error as? RPCError)?.code == .unavailable { tracked.onUnavailable() }
                // Whether it was too slow is known when the stream ends.
                tracked.call.answered(CallOutcome(error, isLate: false))
                throw error
            }
        }
    }
}
#endif
