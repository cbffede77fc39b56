import NIOCore
import StateStore
import Synchronization

/// What one commit touched, as posted to every event loop.
struct ChangeNotice: Sendable {
    let generation: UInt64
    let changes: ChangeSet
    /// Every record may be another one.
    var replacesEverything = false
}

/// Notices on their way from the replica's loop to the watches of another.
final class WatchInbox: Sendable {
    private struct State {
        var notices: [ChangeNotice] = []
        /// Set when notices were dropped: everything may have changed.
        var hasOverflowed = false
        /// Of the newest notice ever appended.
        var generation: UInt64 = 0
        /// Whether a waiter wants to be woken; otherwise notices wait until they are asked for.
        var wantsWake = false
        var isWakeScheduled = false
        var registry: NIOLoopBound<WatchRegistry>?
    }

    /// What `take` gives.
    struct Delivery {
        let notices: [ChangeNotice]
        /// True when notices are missing: everything may have changed.
        let hasOverflowed: Bool
        /// Up to where this delivery and those before it tell.
        let generation: UInt64
    }

    private let loop: any EventLoop
    private let limit: Int
    private let state = Mutex(State())

    init(loop: any EventLoop, limit: Int) {
        self.loop = loop
        self.limit = limit
    }

    func attach(_ registry: WatchRegistry) {
        let bound = NIOLoopBound(registry, eventLoop: loop)
        state.withLock { $0.registry = bound }
    }

    /// Begins after what is published at `generation`.
    func begin(at generation: UInt64) {
        state.withLock { $0.generation = generation }
    }

    /// Adds a notice; true when the loop must be woken.
    func append(_ notice: ChangeNotice) -> Bool {
        state.withLock { state in
            state.generation = notice.generation
            if state.notices.count >= limit || notice.replacesEverything {
                state.notices = []
                state.hasOverflowed = true
            }
            if !state.hasOverflowed { state.notices.append(notice) }
            guard state.wantsWake, !state.isWakeScheduled else { return false }
            state.isWakeScheduled = true
            return true
        }
    }

    func setWantsWake(_ wantsWake: Bool) {
        let mustWake = state.withLock { state in
            state.wantsWake = wantsWake
            let mustWake =
                wantsWake && !state.isWakeScheduled
                && (state.hasOverflowed || !state.notices.isEmpty)
            if mustWake { state.isWakeScheduled = true }
            return mustWake
        }
        if mustWake { wake() }
    }

    /// Takes everything that waits.
    func take() -> Delivery {
        state.withLock { state in
            defer {
                state.notices = []
                state.hasOverflowed = false
            }
            return Delivery(
                notices: state.notices,
                hasOverflowed: state.hasOverflowed,
                generation: state.generation
            )
        }
    }

    /// Has the loop handle its notices soon.
    func wake() {
        loop.execute {
            let registry = self.state.withLock { state in
                state.isWakeScheduled = false
                return state.registry
            }
            registry?.value.synchronize()
        }
    }
}
