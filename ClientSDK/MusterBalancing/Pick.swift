/// How a call to an instance ended.
public enum CallOutcome: Hashable, Sendable {
    /// The instance answered as it should.
    ///
    /// A refusal that is the caller's fault (HTTP 4xx) belongs here.
    case success
    /// The instance could not be reached or answered with a failure of its own.
    case failure
    /// The call was given up; it says nothing about the instance.
    case cancelled
}

/// What is told of every pick when it is completed.
public protocol CallRecorder: AnyObject, Sendable {
    /// Called exactly once for each pick, on the thread that completes it; must not block.
    func record(_ outcome: CallOutcome, at endpoint: ServiceEndpoint)
}

/// What a draw found, before it becomes somebody's pick.
struct Choice {
    let endpoint: ServiceEndpoint
    let index: Int
    let generation: UInt64
    var tracker = Tracker.none
    var isProbe = false
}

/// The instance chosen for one call.
///
/// It cannot be copied and is completed exactly once: by ``complete(_:)`` or
/// ``complete(_:latency:at:)``, or as ``CallOutcome/cancelled`` when it goes out of scope first (an
/// error thrown, a task cancelled). Until then it counts as a call in flight. It may be completed
/// on any thread, also after its balancer has gone.
public struct Pick: ~Copyable, Sendable {
    /// Where to send the call.
    public let endpoint: ServiceEndpoint

    /// The instance's position in the snapshot it was picked from.
    public let index: Int

    /// The generation of that snapshot.
    public let generation: UInt64

    /// The address of what follows the instance's calls, 0 for nothing; the lowest bit says that
    /// this is the call which decides whether an ejected instance returns.
    @usableFromInline
    let tracked: UInt

    @usableFromInline
    var outcome = CallOutcome.cancelled

    /// In ticks, negative when not given.
    @usableFromInline
    var latency: Int64 = -1

    @usableFromInline
    var moment: Int64 = 0

    @usableFromInline
    let recorder: (any CallRecorder)?

    @inline(__always)
    init(_ choice: Choice, recorder: (any CallRecorder)?) {
        endpoint = choice.endpoint
        index = choice.index
        generation = choice.generation
        tracked = choice.tracker.bits | (choice.isProbe ? 1 : 0)
        self.recorder = recorder
    }

    /// Whether this call decides if an instance that had been ejected returns.
    public var isProbe: Bool { tracked & 1 == 1 }

    /// Reports how the call ended.
    @inlinable
    public consuming func complete(_ outcome: CallOutcome) {
        self.outcome = outcome
    }

    /// Reports how the call ended and how long it took.
    ///
    /// - Parameters:
    ///   - outcome: How it ended.
    ///   - latency: How long it took; below zero counts as zero.
    ///   - now: When it ended, on the same clock as all times this balancer is told.
    public consuming func complete(
        _ outcome: CallOutcome,
        latency: Duration,
        at now: ContinuousClock.Instant
    ) {
        self.outcome = outcome
        guard tracked != 0 else { return }
        self.latency = max(0, Ticks.of(latency))
        moment = Ticks.at(now)
    }

    @inlinable
    deinit {
        if tracked != 0 {
            Self.settle(tracked, outcome, latency: latency, moment: moment)
        }
        if let recorder { recorder.record(outcome, at: endpoint) }
    }

    @usableFromInline
    static func settle(_ tracked: UInt, _ outcome: CallOutcome, latency: Int64, moment: Int64) {
        let tracker = Tracker(bits: tracked & ~1)
        let ledger = tracker.ledger
        let isTimed = latency >= 0
        ledger.settle(
            tracker,
            outcome,
            latency: isTimed ? latency : nil,
            at: isTimed ? moment : nil
        )
        if tracked & 1 == 1 {
            let next: Tracker.Probation =
                switch outcome {
                case .success: .passed
                case .failure: .failed
                case .cancelled: .waiting
                }
            if tracker.move(from: .trying, to: next), next != .waiting {
                ledger.ring(at: isTimed ? moment : nil)
            }
        }
        // Last: from here on the block, and with the last call the ledger, may be used again.
        tracker.end()
    }
}

/// What one pick asks for beyond the policy.
public struct PickRequest: Hashable, Sendable {
    /// What the call is about, for policies that send the same key to the same instance.
    ///
    /// Should be spread over all 64-bit values, as ``StableHash`` and ``init(key:)`` do.
    public var hash: UInt64?

    /// Endpoints to pass over while there is another, as after failures there.
    public var avoiding: [ServiceEndpoint]

    /// The endpoint to take if it still takes calls, as a session's cookie remembers it.
    ///
    /// Costs O(n) when it is given. An avoided endpoint is not preferred.
    public var preferring: ServiceEndpoint?

    /// Makes a request.
    ///
    /// - Parameters:
    ///   - hash: What the call is about.
    ///   - avoiding: Endpoints to pass over while there is another.
    ///   - preferring: The endpoint to take if it still takes calls.
    public init(
        hash: UInt64? = nil,
        avoiding: [ServiceEndpoint] = [],
        preferring: ServiceEndpoint? = nil
    ) {
        self.hash = hash
        self.avoiding = avoiding
        self.preferring = preferring
    }

    /// Makes a request about a key: a session, a customer, a document.
    ///
    /// - Parameter key: Any text; equal texts go to the same instance from every client.
    public init(key: String) { self.init(hash: StableHash.of(key)) }

    /// Makes a request that passes over one endpoint.
    ///
    /// - Parameter endpoint: The endpoint to pass over while there is another.
    public init(avoiding endpoint: ServiceEndpoint) { self.init(avoiding: [endpoint]) }

    /// Any instance will do.
    public static let any = PickRequest()
}
