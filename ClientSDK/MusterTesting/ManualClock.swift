public import MusterAPI
import Synchronization

/// A time that stands still until a test moves it.
public final class ManualClock: Sendable {
    private struct Sleeper {
        var deadline: ContinuousClock.Instant
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var now = ContinuousClock.now
        var nextNumber = 0
        var sleepers: [Int: Sleeper] = [:]
        var observers: [CheckedContinuation<Void, Never>] = []
    }

    /// When it began.
    public let start: ContinuousClock.Instant
    private let state: Mutex<State>

    /// Makes a clock that stands at the present moment.
    public init() {
        let state = State()
        start = state.now
        self.state = Mutex(state)
    }

    /// This clock as what the SDK takes the time from.
    public var source: TimeSource {
        TimeSource(now: { self.now }, sleep: { try await self.sleep(until: $0) })
    }

    /// The moment it stands at.
    public var now: ContinuousClock.Instant { state.withLock(\.now) }

    /// Moves it and wakes everyone whose moment has come.
    public func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now += duration
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for number in due.keys { state.sleepers[number] = nil }
            return due.sorted { $0.value.deadline < $1.value.deadline }.map(\.value.continuation)
        }
        for continuation in due { continuation.resume(returning: true) }
    }

    /// Moves it to the moment of the next sleeper, if that is not further than `limit` away.
    public func advanceToSleeper(within limit: Duration) {
        let wait: Duration? = state.withLock { state in
            state.sleepers.values.map { state.now.duration(to: $0.deadline) }.min()
        }
        if let wait, wait <= limit { advance(by: wait) }
    }

    /// Suspends until the moment; throws `CancellationError` when the task is cancelled.
    public func sleep(until deadline: ContinuousClock.Instant) async throws {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        let slept = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                typealias Outcome = (result: Bool?, observers: [CheckedContinuation<Void, Never>])
                let (result, observers): Outcome = state.withLock { state in
                    if Task.isCancelled { return (false, []) }
                    if deadline <= state.now { return (true, []) }
                    state.sleepers[number] = Sleeper(
                        deadline: deadline,
                        continuation: continuation
                    )
                    let observers = state.observers
                    state.observers = []
                    return (nil, observers)
                }
                for observer in observers { observer.resume() }
                if let result { continuation.resume(returning: result) }
            }
        } onCancel: {
            let sleeper = state.withLock { $0.sleepers.removeValue(forKey: number) }
            sleeper?.continuation.resume(returning: false)
        }
        if !slept { throw CancellationError() }
    }

    /// How long from the start until someone wants to sleep within `range`; waits for it.
    ///
    /// A test that runs into its time limit here ends the process: the message says what it lacked.
    public func sleeper(within range: ClosedRange<Duration>) async -> Duration {
        await withTaskCancellationHandler {
            await firstSleeper(within: range)
        } onCancel: {
            preconditionFailure("nobody slept within \(range) before the test was cancelled")
        }
    }

    private func firstSleeper(within range: ClosedRange<Duration>) async -> Duration {
        while true {
            let found: Duration? = state.withLock { state in
                state.sleepers.values.map { start.duration(to: $0.deadline) }
                    .filter { range.contains($0) }.min()
            }
            if let found { return found }
            await withCheckedContinuation { continuation in
                let known = state.withLock { state in
                    let known = state.sleepers.values.contains {
                        range.contains(start.duration(to: $0.deadline))
                    }
                    if !known { state.observers.append(continuation) }
                    return known
                }
                if known { continuation.resume() }
            }
        }
    }
}
