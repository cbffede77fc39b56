import Filter
import HTTPAPI
import LocalState
import Model
import NIOCore

/// The user events that this agent received, and those who wait for the next one.
///
/// Bound to one event loop.
final class EventLog {
    private struct Watch {
        var name: String
        var known: UInt64
        var completion: ([UserEvent]) -> Void
        var timeout: Scheduled<Void>
    }

    private let eventLoop: any EventLoop
    private let limits: AgentLimits
    /// Oldest first.
    private var kept: [UserEvent] = []
    /// The Lamport time of the next event; a pool of one starts at 2, after its own join.
    private var lamportTime: UInt64 = 2
    private var watches: [UInt64: Watch] = [:]
    private var lastWatch: UInt64 = 0

    init(eventLoop: any EventLoop, limits: AgentLimits) {
        self.eventLoop = eventLoop
        self.limits = limits
    }

    /// Takes an event from the pool; keeps it if its filters select this agent.
    func receive(_ event: UserEvent, node: String, state: LocalState) {
        var event = event
        event.lamportTime = lamportTime
        lamportTime += 1
        guard Self.selects(event, node: node, state: state) else { return }
        kept.append(event)
        if kept.count > limits.keptEvents { kept.removeFirst(kept.count - limits.keptEvents) }
        for number in watches.keys.sorted() {
            guard let watch = watches[number] else { continue }
            let found = events(named: watch.name)
            if UserEvent.index(of: found) != watch.known { end(number) }
        }
    }

    /// Completes once the events of this name differ from those that `known` stands for.
    func events(
        named name: String,
        differingFrom known: UInt64,
        wait: TimeAmount,
        _ completion: @escaping ([UserEvent]) -> Void
    ) {
        let found = events(named: name)
        guard known > 0, wait > .zero, UserEvent.index(of: found) == known,
            watches.count < limits.eventWatches
        else { return completion(found) }
        lastWatch += 1
        let number = lastWatch
        let timeout = eventLoop.assumeIsolated().scheduleTask(in: wait) { self.end(number) }
        watches[number] = Watch(
            name: name,
            known: known,
            completion: completion,
            timeout: timeout
        )
    }

    /// Answers everyone who waits.
    func stop() {
        for number in watches.keys.sorted() { end(number) }
    }

    private func events(named name: String) -> [UserEvent] {
        name.isEmpty ? kept : kept.filter { $0.name == name }
    }

    private func end(_ number: UInt64) {
        guard let watch = watches.removeValue(forKey: number) else { return }
        watch.timeout.cancel()
        watch.completion(events(named: watch.name))
    }

    /// - Source: Consul: PUT /v1/event/fire/:name `node`, `service`, `tag`.
    private static func selects(_ event: UserEvent, node: String, state: LocalState) -> Bool {
        guard matches(event.nodeFilter, node) else { return false }
        guard !event.serviceFilter.isEmpty else { return true }
        return state.services.contains { entry in
            guard matches(event.serviceFilter, entry.service.name) else { return false }
            return event.tagFilter.isEmpty
                || (entry.service.tags ?? []).contains { matches(event.tagFilter, $0) }
        }
    }

    /// Whether the pattern is empty or found in `text`; a broken pattern selects nothing.
    private static func matches(_ pattern: String, _ text: String) -> Bool {
        guard !pattern.isEmpty else { return true }
        do throws(RegularExpressionError) {
            return try RegularExpression(pattern).matches(text)
        } catch {
            return false
        }
    }
}
