import Logging
import MusterAPI
import MusterBalancing

extension Discovery {
    /// Posts the list that an earlier run kept, unless the registry answers within a second.
    func restore(_ feed: Feed, into inbox: WatchInbox) async {
        guard let store else { return }
        // The sleep only throws when cancelled, which is seen below.
        try? await clock.sleep(clock.now() + Limits.coldStart)
        guard !Task.isCancelled, feed.current == nil,
            let (instances, age) = await store.load(feed.query)
        else { return }
        inbox.post(.restored(instances, age: age))
    }

    /// Writes what changes, a moment after it did, and everything now and then.
    func keepSnapshots() async {
        guard let store else { return }
        var refresh = clock.now() + refreshInterval
        while !Task.isCancelled {
            await store.bell.wait(until: refresh, clock: clock)
            if clock.now() >= refresh {
                // A list that never changes is confirmed all the time: its file has to say so.
                refresh = clock.now() + refreshInterval
                await store.save(feeds, now: clock.now())
            }
            let changed = store.takeChanged()
            guard !changed.isEmpty else { continue }
            // The sleep only throws when cancelled; the end of the run writes everything anyway.
            try? await clock.sleep(clock.now() + Limits.keepDelay)
            if Task.isCancelled { return }
            await store.save(changed, now: clock.now())
        }
    }

    private var refreshInterval: Duration {
        max(Limits.shortestRefresh, configuration.snapshotMaximumAge / 8)
    }
}
