import LocalState
import Model
import NIOCore
import Replica
import StateStore

/// The alias checks that follow services or checks of other nodes: each a watch on the catalog.
///
/// Bound to one event loop.
final class AliasWatches {
    typealias Report = (_ checks: [HealthCheck], _ isRegistered: Bool) -> Void

    private struct Entry {
        var task: CheckTask
        var report: Report
        var watch: WatchID?
    }

    private let replica: Replica
    private let eventLoop: any EventLoop
    private var registry: WatchRegistry?
    private var entries: [String: Entry] = [:]

    init(replica: Replica, eventLoop: any EventLoop) {
        self.replica = replica
        self.eventLoop = eventLoop
    }

    /// Reports now, and again whenever what the check follows has changed.
    func start(_ task: CheckTask, report: @escaping Report) {
        stop(task.id)
        entries[task.id] = Entry(task: task, report: report, watch: nil)
        // In a turn of its own: the caller is in the middle of a change.
        eventLoop.assumeIsolated().execute { self.evaluate(task.id) }
    }

    func stop(_ id: String) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        entry.watch.map { registry?.cancel($0) }
    }

    func stopAll() {
        for id in entries.keys.sorted() { stop(id) }
    }

    private func evaluate(_ id: String) {
        guard let entry = entries[id], entry.watch == nil else { return }
        let registry = self.registry ?? replica.makeWatchRegistry(on: eventLoop)
        self.registry = registry
        let node = entry.task.definition.aliasNode
        let service = entry.task.definition.aliasService
        let store = replica.current.store
        let checks = store.nodeChecks(node)
        var topics = checks.topics
        var isRegistered = true
        if !service.isEmpty {
            let found = store.service(node: node, id: service)
            isRegistered = found.value != nil
            topics += found.topics
        }
        entries[id]?.watch = registry.park(topics) { [weak self] in
            self?.entries[id]?.watch = nil
            self?.evaluate(id)
        }
        entry.report(checks.value.map(\.check), isRegistered)
    }
}
