import DequeModule
package import LocalState
import Model
package import NIOCore

/// Runs the checks of one agent on one event loop: a timer wheel, and one probe per check at a
/// time.
///
/// A check first runs at a random moment of its interval, so that thousands registered together are
/// spread over it, and then an interval after each verdict. All calls must come on the event loop.
package final class CheckRunner {
    private struct Entry {
        var probe: any Probe
        var interval: Nanoseconds
        var serial: UInt64
    }

    private struct Run {
        var id: String
        var serial: UInt64
    }

    private let eventLoop: any EventLoop
    private let limits: CheckLimits
    private let factory: ProbeFactory
    private let report: (String, Verdict) -> Void
    private var entries: [String: Entry] = [:]
    private var wheel: TimerWheel<Run>
    private var waiting: Deque<Run> = []
    private var running = 0
    private var lastSerial: UInt64 = 0
    private var timer: Scheduled<Void>?
    private var isStopped = false

    /// Makes a runner that calls `report` on the event loop with every verdict.
    package init(
        eventLoop: any EventLoop,
        limits: CheckLimits = CheckLimits(),
        factory: ProbeFactory,
        report: @escaping (String, Verdict) -> Void
    ) {
        self.eventLoop = eventLoop
        self.limits = limits
        self.factory = factory
        self.report = report
        wheel = TimerWheel(startingAt: Self.tick(at: .now(), limits))
    }

    /// Starts a check, in place of an earlier one of its id.
    package func start(_ task: CheckTask) {
        eventLoop.preconditionInEventLoop()
        guard !isStopped, let probe = factory.probe(for: task) else {
            return stop(task.id)
        }
        lastSerial += 1
        let interval = max(task.definition.interval, limits.leastInterval)
        entries[task.id] = Entry(probe: probe, interval: interval, serial: lastSerial)
        let offset = Nanoseconds(rawValue: Int64.random(in: 0..<interval.rawValue))
        schedule(Run(id: task.id, serial: lastSerial), in: offset)
    }

    /// Ends a check; the verdict of a probe that is under way is dropped.
    package func stop(_ id: String) {
        entries[id] = nil
    }

    /// Ends everything.
    package func stopAll() {
        isStopped = true
        entries = [:]
        waiting = []
        timer?.cancel()
        timer = nil
    }

    /// How many checks there are.
    package var count: Int { entries.count }

    // MARK: Time

    private func schedule(_ run: Run, in delay: Nanoseconds) {
        let due = NIODeadline.now() + .nanoseconds(delay.rawValue)
        wheel.add(run, at: Self.tick(at: due, limits) + 1)
        scheduleTick()
    }

    private func scheduleTick() {
        guard timer == nil, !isStopped, wheel.count > 0 else { return }
        timer = eventLoop.assumeIsolated().scheduleTask(
            in: .nanoseconds(limits.wheelTick.rawValue)
        ) {
            self.timer = nil
            for run in self.wheel.advance(to: Self.tick(at: .now(), self.limits)) {
                self.begin(run)
            }
            self.scheduleTick()
        }
    }

    private static func tick(at moment: NIODeadline, _ limits: CheckLimits) -> UInt64 {
        moment.uptimeNanoseconds / UInt64(limits.wheelTick.rawValue)
    }

    // MARK: Runs

    private func begin(_ run: Run) {
        guard let entry = entries[run.id], entry.serial == run.serial else { return }
        guard running < limits.concurrentProbes else {
            return waiting.append(run)
        }
        running += 1
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        entry.probe.run(on: eventLoop) { verdict in
            bound.value.end(run, verdict)
        }
    }

    private func end(_ run: Run, _ verdict: Verdict) {
        running -= 1
        if let entry = entries[run.id], entry.serial == run.serial {
            schedule(run, in: entry.interval)
            report(run.id, verdict)
        }
        if let next = waiting.popFirst() { begin(next) }
    }
}
