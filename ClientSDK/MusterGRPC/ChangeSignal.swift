#if GRPC
import MusterAPI
import Synchronization

/// Wakes every task that waits for a change; one that came before the wait is not lost.
final class ChangeSignal: Sendable {
    private struct State {
        var version = 0
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// Counts the changes.
    var version: Int { state.withLock(\.version) }

    func ring() {
        let waiters = state.withLock { state in
            state.version += 1
            let waiters = Array(state.waiters.values)
            state.waiters = [:]
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when there is a later version than `version`, or when the task is cancelled.
    func wait(after version: Int) async {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.version > version || Task.isCancelled { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: number) }
            waiter?.resume()
        }
    }

    /// The same, but at most until `deadline`.
    func wait(
        after version: Int,
        until deadline: ContinuousClock.Instant,
        _ clock: TimeSource
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(after: version) }
            // The sleep only throws when cancelled, which is the end of this wait as well.
            group.addTask { try? await clock.sleep(deadline) }
            await group.next()
            group.cancelAll()
        }
    }
}
#endif
