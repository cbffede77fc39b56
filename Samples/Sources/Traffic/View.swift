import MusterBalancing
import MusterDiscovery
import ServiceLifecycle

/// Looks twice a second at who answers, and shows it.
struct View: Service {
    let instances: WatchedService
    let tally: Tally
    let registry: String
    let screen: Screen
    let story: String?
    let counts: CountsFile?

    func run() async throws {
        screen.open()
        defer { screen.close() }
        try await cancelWhenGracefulShutdown {
            var picture = Picture(registry: registry, started: .now)
            while !Task.isCancelled {
                picture.update(
                    snapshot: instances.current,
                    counts: tally.now,
                    story: story.flatMap(lastLine(of:)),
                    at: .now
                )
                screen.show(picture)
                try counts?.append(picture)
                // The sleep only throws when cancelled, which ends the loop.
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }
}

/// What is shown: every instance ever seen, and what happened last.
struct Picture {
    struct Row {
        var endpoint: ServiceEndpoint
        /// nil when the instance is not registered.
        var health: Health?
        var origin = "gone"
        var answered = 0
        var failed = 0
        /// Calls per second in each of the last half seconds, newest last.
        var history: [Double] = []

        var rate: Double { history.suffix(2).reduce(0, +) / Double(max(1, min(2, history.count))) }
    }

    let registry: String
    let started: ContinuousClock.Instant
    var rows: [String: Row] = [:]
    var events: [String] = []
    var story: String?
    var elapsed = Duration.zero
    var total = 0
    var lost = 0
    var rate = 0.0
    var latency = Duration.zero
    var isStale = false
    private var previous: ContinuousClock.Instant

    init(registry: String, started: ContinuousClock.Instant) {
        self.registry = registry
        self.started = started
        previous = started
    }

    mutating func update(
        snapshot: ServiceSnapshot?,
        counts: Tally.Counts,
        story: String?,
        at now: ContinuousClock.Instant
    ) {
        elapsed = started.duration(to: now)
        let seconds = max(0.001, previous.duration(to: now) / .seconds(1))
        previous = now
        rate = Double(counts.total - total) / seconds
        (total, lost, latency) = (counts.total, counts.lost, counts.latency)
        if let story, story != self.story { note("▶ " + story) }
        self.story = story
        noteOrigin(snapshot)
        var present: Set<String> = []
        for instance in snapshot?.instances ?? [] {
            let name = instance.id.serviceID
            present.insert(name)
            var row = rows[name] ?? Row(endpoint: instance.endpoint)
            if row.health != instance.health { noteHealth(name, row.health, instance.health) }
            if row.endpoint != instance.endpoint {
                // Restarted on another port: its counts start over.
                row = Row(endpoint: instance.endpoint, history: row.history)
            }
            row.health = instance.health
            rows[name] = row
        }
        for name in rows.keys {
            if !present.contains(name), rows[name]?.health != nil {
                noteHealth(name, rows[name]?.health, nil)
                rows[name]?.health = nil
            }
            guard var row = rows[name] else { continue }
            let answered = counts.answered[row.endpoint] ?? 0
            row.history.append(Double(max(0, answered - row.answered)) / seconds)
            row.history.removeFirst(max(0, row.history.count - 60))
            row.answered = answered
            row.failed = counts.failed[row.endpoint] ?? 0
            rows[name] = row
        }
    }

    private mutating func noteOrigin(_ snapshot: ServiceSnapshot?) {
        let stale = if case .stale = snapshot?.origin { true } else { false }
        if stale != isStale {
            note(stale ? "registry silent: last known instances" : "registry answers again")
        }
        isStale = stale
    }

    private mutating func noteHealth(_ name: String, _ old: Health?, _ new: Health?) {
        switch (old, new) {
        case (nil, .some(let health)): note("\(name) registered, \(health)")
        case (.some, nil): note("\(name) deregistered")
        case (_, .some(let health)): note("\(name) is \(health)")
        case (nil, nil): break
        }
    }

    private mutating func note(_ text: String) {
        events.append("\(Format.clock(elapsed))  \(text)")
        events.removeFirst(max(0, events.count - 8))
    }
}
