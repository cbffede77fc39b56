import MusterAPI
import MusterBalancing
import Testing

@testable import MusterDiscovery

/// A watch's core with a test in the place of registry and time.
final class DrivenWatch {
    private var core: WatchCore
    let start = ContinuousClock.now
    private(set) var now: ContinuousClock.Instant
    /// The queries under way.
    private(set) var pending: [WatchCore.Ask] = []
    /// How many queries were sent.
    private(set) var asked = 0
    private(set) var published: [ServiceSnapshot] = []

    init(_ query: ServiceQuery = "web", _ configure: (inout WatchCore.Settings) -> Void = { _ in })
    {
        now = start
        var settings = WatchCore.Settings()
        settings.source.asking.burst = 1000
        configure(&settings)
        core = WatchCore(query: query, settings: settings, seed: 1, now: now)
        turn()
    }

    /// The newest snapshot.
    var current: ServiceSnapshot? { published.last }

    var active: Int { core.active }

    /// The query under way in a datacenter.
    func query(_ source: Int = 0) -> WatchCore.Ask? { pending.first { $0.source == source } }

    /// When the core wants to be woken.
    var deadline: ContinuousClock.Instant? { core.deadline(now: now) }

    /// Answers a datacenter's query; returns the snapshot that this made, if any.
    @discardableResult
    func answer(
        _ content: SourceCore.Content,
        index: UInt64 = 5,
        hash: Int = 0,
        lag: Duration = .zero,
        from source: Int = 0
    ) -> ServiceSnapshot? {
        finish(source)
        return take(
            .answered(
                source: source,
                SourceCore.Answer(content: content, hash: hash, index: index, lag: lag)
            )
        )
    }

    @discardableResult
    func fail(_ source: Int = 0, keepsIndex: Bool = false) -> ServiceSnapshot? {
        finish(source)
        return take(.failed(source: source, keepsIndex: keepsIndex))
    }

    func restore(_ list: [Instance], age: Duration) -> ServiceSnapshot? {
        take(.restored(list, age: age))
    }

    /// Moves the time, with a turn of the loop at each deadline that is passed.
    @discardableResult
    func advance(by duration: Duration) -> ServiceSnapshot? {
        let count = published.count
        let end = now + duration
        while let next = core.deadline(now: now), next <= end {
            now = next
            turn()
        }
        now = end
        turn()
        return published.count > count ? published.last : nil
    }

    private func finish(_ source: Int) {
        precondition(query(source) != nil, "no query under way in datacenter \(source)")
        pending.removeAll { $0.source == source }
    }

    private func take(_ event: WatchCore.Event) -> ServiceSnapshot? {
        core.handle(event, now: now)
        return turn()
    }

    @discardableResult
    private func turn() -> ServiceSnapshot? {
        let asks = core.asks(now: now)
        asked += asks.count
        pending += asks
        guard let snapshot = core.snapshot(now: now) else { return nil }
        published.append(snapshot)
        return snapshot
    }
}

/// Instances on one node, one per port.
func instances(_ ports: UInt16..., health: Health = .passing) -> [Instance] {
    instances(ports, health: health)
}

func instances(_ ports: [UInt16], health: Health = .passing) -> [Instance] {
    ports.compactMap { port in
        ServiceEndpoint(host: "10.0.0.1", port: port).map {
            Instance(
                id: InstanceID(node: "n", serviceID: String(100_000 + Int(port))),
                endpoint: $0,
                health: health
            )
        }
    }
}
