import Checks
import HTTPAPI
import LocalState
import Logging
import Model
import NIOCore
import Replica

/// The shell around `LocalState`: runs its effects and keeps the catalog in step with it.
///
/// Bound to one event loop; every method must be called there.
final class LocalAgent {
    let eventLoop: any EventLoop
    let replica: Replica
    let logger: Logger
    let limits: AgentLimits
    var state: LocalState
    var syncProgress = SyncProgress()
    var aliases: AliasWatches
    let storage: RegistrationStorage?
    private var runner: CheckRunner?
    private var timer: (task: Scheduled<Void>, due: Instant)?
    private var serviceWatches: [UInt64: ServiceWatch] = [:]
    private var lastWatch: UInt64 = 0
    var isStopped = false

    private struct ServiceWatch {
        var id: String
        var isNews: (CatalogService) -> Bool
        var completion: (CatalogService?) -> Void
        var timeout: Scheduled<Void>
    }

    init(
        eventLoop: any EventLoop,
        replica: Replica,
        configuration: LocalConfiguration,
        limits: AgentLimits,
        storage: RegistrationStorage?,
        logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.replica = replica
        self.limits = limits
        self.storage = storage
        self.logger = logger
        state = LocalState(
            configuration: configuration,
            seed: UInt64.random(in: .min ... .max)
        )
        aliases = AliasWatches(replica: replica, eventLoop: eventLoop)
    }

    /// The moment, for calls into the state.
    var now: Instant {
        Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds)
    }

    // MARK: Changes

    /// Makes a change and carries out what it entails; throws what the state refused.
    func change(_ body: LocalChange) throws(RegistrationError) {
        var effects = LocalEffects()
        do throws(RegistrationError) {
            try body(&state, now, &effects)
        } catch {
            carryOut(effects)
            throw error
        }
        carryOut(effects)
    }

    /// Makes a change that cannot be refused.
    func change(_ body: (inout LocalState, Instant, inout LocalEffects) -> Void) {
        var effects = LocalEffects()
        body(&state, now, &effects)
        carryOut(effects)
    }

    private func carryOut(_ effects: LocalEffects) {
        for note in effects.notes { log(note) }
        for id in effects.stop {
            runner?.stop(id)
            aliases.stop(id)
        }
        for task in effects.start { start(task) }
        for item in effects.persist { persist(item) }
        for id in effects.changedServices { wakeWatches(of: id) }
        if effects.syncWanted { scheduleSync() }
        scheduleTimer()
    }

    private func start(_ task: CheckTask) {
        guard !isStopped else { return }
        aliases.stop(task.id)
        guard task.kind != .alias else {
            runner?.stop(task.id)
            guard !task.definition.aliasNode.isEmpty else { return }
            return aliases.start(task) { [weak self] checks, isRegistered in
                self?.change { state, now, effects in
                    state.reportAlias(
                        check: task.id,
                        of: checks,
                        isRegistered: isRegistered,
                        now: now,
                        into: &effects
                    )
                }
            }
        }
        let runner = self.runner ?? makeRunner()
        self.runner = runner
        runner.start(task)
    }

    private func makeRunner() -> CheckRunner {
        CheckRunner(eventLoop: eventLoop, factory: ProbeFactory()) { [weak self] id, verdict in
            self?.change { state, now, effects in
                state.report(
                    check: id,
                    status: verdict.status,
                    output: verdict.output,
                    now: now,
                    into: &effects
                )
            }
        }
    }

    private func persist(_ item: Persistence) {
        guard let storage else { return }
        do throws(StorageError) {
            try storage.apply(item, from: state)
        } catch {
            logger.error("failed to persist: \(error.description)")
        }
    }

    private func log(_ note: Note) {
        switch note.level {
        case .debug: logger.debug("\(note.message)")
        case .info: logger.info("\(note.message)")
        case .warning: logger.warning("\(note.message)")
        case .error: logger.error("\(note.message)")
        }
    }

    // MARK: Time

    private func scheduleTimer() {
        guard let due = state.nextDeadline, !isStopped else { return }
        if let timer {
            guard due < timer.due else { return }
            timer.task.cancel()
        }
        let deadline = NIODeadline.uptimeNanoseconds(
            min(due.nanoseconds, UInt64(Int64.max))
        )
        let task = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.timer = nil
            self.change { state, now, effects in state.advance(to: now, into: &effects) }
        }
        timer = (task, due)
    }

    /// Ends checks, timers and watches; what waits for a service gets it as it is.
    func stop() {
        isStopped = true
        runner?.stopAll()
        aliases.stopAll()
        timer?.task.cancel()
        timer = nil
        for id in serviceWatches.keys.sorted() { endWatch(id) }
        releaseAllWaiters()
    }

    // MARK: Waiting for one service

    func watchService(
        _ id: String,
        wait: TimeAmount,
        isNews: @escaping (CatalogService) -> Bool,
        completion: @escaping (CatalogService?) -> Void
    ) {
        guard let service = state.service(id)?.service, wait > .zero, !isNews(service),
            serviceWatches.count < limits.serviceWatches
        else {
            return completion(state.service(id)?.service)
        }
        lastWatch += 1
        let number = lastWatch
        let timeout = eventLoop.assumeIsolated().scheduleTask(in: wait) { self.endWatch(number) }
        serviceWatches[number] = ServiceWatch(
            id: id,
            isNews: isNews,
            completion: completion,
            timeout: timeout
        )
    }

    private func wakeWatches(of id: String) {
        for (number, watch) in serviceWatches where watch.id == id {
            guard let service = state.service(id)?.service, !watch.isNews(service) else {
                endWatch(number)
                continue
            }
        }
    }

    private func endWatch(_ number: UInt64) {
        guard let watch = serviceWatches.removeValue(forKey: number) else { return }
        watch.timeout.cancel()
        watch.completion(state.service(watch.id)?.service)
    }
}
