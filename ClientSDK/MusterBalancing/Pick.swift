/// How a call to an instance ended.
public enum CallOutcome: Hashable, Sendable {
    /// The instance answered as it should.
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
}

/// The instance chosen for one call.
///
/// It cannot be copied and is completed exactly once: by ``complete(_:)``, or as
/// ``CallOutcome/cancelled`` when it goes out of scope first (an error thrown, a task cancelled).
public struct Pick: ~Copyable, Sendable {
    /// Where to send the call.
    public let endpoint: ServiceEndpoint

    /// The instance's position in the snapshot it was picked from.
    public let index: Int

    /// The generation of that snapshot.
    public let generation: UInt64

    @usableFromInline
    var outcome = CallOutcome.cancelled

    @usableFromInline
    let recorder: (any CallRecorder)?

    @inline(__always)
    init(_ choice: Choice, recorder: (any CallRecorder)?) {
        endpoint = choice.endpoint
        index = choice.index
        generation = choice.generation
        self.recorder = recorder
    }

    /// Reports how the call ended.
    @inlinable
    public consuming func complete(_ outcome: CallOutcome) {
        self.outcome = outcome
    }

    @inlinable
    deinit {
        if let recorder { recorder.record(outcome, at: endpoint) }
    }
}

/// What one pick asks for beyond the policy.
public struct PickRequest: Hashable, Sendable {
    /// An endpoint to pass over while there is another, as after a failure there.
    public var avoiding: ServiceEndpoint?

    /// Makes a request.
    public init(avoiding: ServiceEndpoint? = nil) {
        self.avoiding = avoiding
    }

    /// Any instance will do.
    public static let any = PickRequest()
}
