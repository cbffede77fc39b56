import LocalState
import Logging
import Model
import NIOCore
import Replica
import StateStore

/// How far the catalog has been told, and who waits for it.
struct SyncProgress {
    /// Those whose change the next plan will carry.
    var waiting: [SyncWaiter] = []
    var isScheduled = false
    var retry: Scheduled<Void>?
    var retryDelay = TimeAmount.zero
}

/// Someone who wants an answer once the catalog knows, or once the bound has passed.
final class SyncWaiter {
    private var completion: (() -> Void)?
    private var timeout: Scheduled<Void>?

    init(
        eventLoop: any EventLoop,
        bound: TimeAmount,
        completion: @escaping () -> Void
    ) {
        self.completion = completion
        timeout = eventLoop.assumeIsolated().scheduleTask(in: bound) { self.release() }
    }

    func release() {
        timeout?.cancel()
        timeout = nil
        completion?()
        completion = nil
    }
}

/// The waiters of one plan; released when all of its steps have ended.
private final class SyncBatch {
    private let waiters: [SyncWaiter]
    private var stepsLeft: Int

    init(waiters: [SyncWaiter], steps: Int) {
        self.waiters = waiters
        stepsLeft = steps
    }

    func stepEnded() {
        stepsLeft -= 1
        if stepsLeft == 0 { for waiter in waiters { waiter.release() } }
    }
}

extension LocalAgent {
    /// Calls `completion` once the catalog has all that holds here now, within a bound.
    func whenSynced(_ completion: @escaping () -> Void) {
        guard state.needsSync, !isStopped else { return completion() }
        syncProgress.waiting.append(
            SyncWaiter(eventLoop: eventLoop, bound: limits.syncWait, completion: completion)
        )
        scheduleSync()
    }

    /// Plans one sync for this turn of the loop, however many changes ask for it.
    func scheduleSync() {
        guard !syncProgress.isScheduled, !isStopped else { return }
        syncProgress.isScheduled = true
        eventLoop.assumeIsolated().execute {
            self.syncProgress.isScheduled = false
            self.sync()
        }
    }

    /// Compares with the catalog, then tells it what it lacks; repeats at the anti-entropy
    /// interval.
    func fullSync() {
        guard !isStopped else { return }
        state.reconcile(with: catalogView())
        sync()
        let interval = limits.antiEntropyInterval.nanoseconds
        let delay = TimeAmount.nanoseconds(interval + Int64.random(in: 0...interval / 2))
        eventLoop.assumeIsolated().scheduleTask(in: delay) { self.fullSync() }
    }

    /// Proposes the plan; waits for nothing.
    func sync() {
        let steps = state.nextSync()
        let waiters = syncProgress.waiting
        syncProgress.waiting = []
        guard !steps.isEmpty else {
            for waiter in waiters { waiter.release() }
            return
        }
        let batch = NIOLoopBound(
            SyncBatch(waiters: waiters, steps: steps.count),
            eventLoop: eventLoop
        )
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        for step in steps {
            replica.propose(step.command, on: eventLoop) { outcome in
                bound.value.stepEnded(step, outcome)
                batch.value.stepEnded()
            }
        }
    }

    func releaseAllWaiters() {
        syncProgress.retry?.cancel()
        for waiter in syncProgress.waiting { waiter.release() }
        syncProgress.waiting = []
    }

    private func stepEnded(_ step: SyncStep, _ outcome: ProposalOutcome) {
        switch outcome {
        case .success(.refused(.invalid(let reason))):
            state.completed(step, succeeded: false)
            logger.warning("Syncing failed: error=\"\(reason)\"")
            scheduleRetry()
        case .success:
            state.completed(step, succeeded: true)
            syncProgress.retryDelay = .zero
            for item in step.items { log(item, of: step) }
            if state.needsSync { scheduleSync() }
        case .failure(let error):
            state.completed(step, succeeded: false)
            logger.error("Syncing failed: error=\"\(error.message)\"")
            scheduleRetry()
        }
    }

    private func log(_ item: SyncStep.Item, of step: SyncStep) {
        let isRemoval = if case .deregister = step.command { true } else { false }
        switch item {
        case .node: logger.info("Synced node info")
        case .service(let id, _):
            logger.info("\(isRemoval ? "Deregistered" : "Synced") service: service=\(id)")
        case .check(let id, _):
            logger.info("\(isRemoval ? "Deregistered" : "Synced") check: check=\(id)")
        }
    }

    private func scheduleRetry() {
        guard syncProgress.retry == nil, !isStopped else { return }
        let last = syncProgress.retryDelay
        let next = last == .zero ? limits.firstRetry : .nanoseconds(last.nanoseconds * 2)
        let delay = next > limits.lastRetry ? limits.lastRetry : next
        syncProgress.retryDelay = delay
        syncProgress.retry = eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.syncProgress.retry = nil
            self.sync()
        }
    }

    private func catalogView() -> CatalogView {
        let store = replica.current.store
        let name = state.configuration.node.name
        guard let found = store.nodeServices(name).value else {
            return CatalogView(node: nil, services: [], checks: [])
        }
        return CatalogView(
            node: found.node.node,
            services: found.services.map(\.service),
            checks: store.nodeChecks(name).value.map(\.check)
        )
    }
}
