import Synchronization

/// Wakes one waiting task; a ring before the wait is not lost, several rings count as one.
package final class Doorbell: Sendable {
    private struct State {
        var rung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package func ring() {
        let waiter = state.withLock { state in
            let waiter = state.waiter
            state.waiter = nil
            if waiter == nil { state.rung = true }
            return waiter
        }
        waiter?.resume()
    }

    /// Returns when rung since the last wait, or when the task is cancelled.
    ///
    /// Only one task may wait at a time.
    package func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state in
                    precondition(state.waiter == nil, "two tasks wait at one doorbell")
                    if state.rung || Task.isCancelled {
                        state.rung = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if ready { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }

    /// Returns when rung, when `deadline` has come, or when the task is cancelled.
    package func wait(until deadline: ContinuousClock.Instant, clock: TimeSource) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            // The sleep only throws when cancelled, which is the end of this wait as well.
            group.addTask { try? await clock.sleep(deadline) }
            await group.next()
            group.cancelAll()
        }
    }
}
