import Synchronization

extension Balancer {
    /// One choice with everything a request and a policy may ask for, counted as in flight.
    func track(_ request: PickRequest, at now: Int64?) throws(BalancingError) -> Choice {
        if ledger.isRung || now.map({ $0 >= ledger.deadline }) ?? false { reviewIfIdle(at: now) }
        if case .custom = policy.kind { return try askPicker(request) }
        let state = stripes.current
        while true {
            let table = table
            let version = table.version
            let count = table.count
            guard count > 0, count < table.capacity else {
                guard !table.isStill(version) else { throw emptiness }
                continue
            }
            if table.probes > 0, request.avoiding.isEmpty,
                let choice = probe(in: table, count: count, version: version)
            {
                return choice
            }
            guard
                let position = position(
                    for: request,
                    LoadView(table: table, count: count, version: version, now: now),
                    state
                ),
                let choice = take(position, from: table, version: version)
            else { continue }
            return choice
        }
    }

    /// The position for a request; nil when the table has changed meanwhile.
    private func position(
        for request: PickRequest,
        _ load: LoadView,
        _ state: UnsafeMutablePointer<Atomic<UInt64>>
    ) -> Int? {
        let table = load.table
        let count = load.count
        if let wanted = request.preferring, !request.avoiding.contains(wanted),
            let place = Self.find(in: table, from: 0, count: count, where: { $0 == wanted })
        {
            return place
        }
        let usesKey = table.method.usesKey && request.hash != nil
        let choose = { () -> Int? in
            self.position(of: usesKey ? request.hash : nil, load, state)
        }
        guard !request.avoiding.isEmpty else { return choose() }
        for _ in 0..<(usesKey ? 1 : Limits.avoidingDraws) {
            guard let position = choose() else { return nil }
            if !request.avoiding.contains(table.endpoint(position).0) { return position }
        }
        // From a place that the key decides, so that a key's second choice stays the same too.
        let scattered = SeededRandom.mix(usesKey ? request.hash ?? 0 : Self.random(state))
        let start = SeededRandom.reduce(scattered, below: UInt64(count)).value
        return Self.find(in: table, from: start, count: count) {
            !request.avoiding.contains($0)
        } ?? choose()
    }

    /// The position that the policy says, at random without a key; nil when the table has changed
    /// meanwhile.
    private func position(
        of key: UInt64?,
        _ load: LoadView,
        _ state: UnsafeMutablePointer<Atomic<UInt64>>
    ) -> Int? {
        let method = load.table.method
        guard method.usesKey || method == .leastRequest || method == .peakEWMA else {
            return Self.position(in: load.table, count: load.count, state: state)
        }
        let key = key ?? Self.random(state)
        switch method {
        case .leastRequest:
            guard case .leastRequest(let choices) = policy.kind else { return nil }
            return load.least(of: choices, first: key) { Self.random(state) }
        case .peakEWMA:
            return load.fastest(first: key, second: Self.random(state), rate: ledger.decay)
        default:
            guard case .consistentHash(_, let bound) = policy.kind else { return nil }
            guard let bound else { return load.keyed(key) }
            return load.bounded(key, bound: bound, total: ledger.total)
        }
    }

    /// Counts a call at the instance at `position`; nil when the table has changed meanwhile.
    private func take(_ position: Int, from table: PickTable, version: UInt64) -> Choice? {
        let (endpoint, index) = table.endpoint(position)
        let tracker = table.tracker(position)
        let generation = table.generation
        guard table.isStill(version) else { return nil }
        var choice = Choice(endpoint: endpoint, index: index, generation: generation)
        guard tracker != .none else { return choice }
        tracker.begin()
        // Whoever takes trackers back does so after it has published another table: seeing the same
        // one now means that the count was there before it looked.
        guard current.load(ordering: .sequentiallyConsistent) == table.bits,
            table.isStillAfterWrites(version)
        else {
            tracker.end()
            return nil
        }
        ledger.begin()
        choice.tracker = tracker
        return choice
    }

    /// The one call that decides about an ejected instance, if one is waiting for it.
    private func probe(in table: PickTable, count: Int, version: UInt64) -> Choice? {
        for position in count..<count &+ min(table.probes, table.capacity) {
            let tracker = table.tracker(position)
            guard table.isStill(version) else { return nil }
            guard tracker != .none, tracker.probation == .waiting,
                var choice = take(position, from: table, version: version)
            else { continue }
            if tracker.move(from: .waiting, to: .trying) {
                choice.isProbe = true
                return choice
            }
            Pick(choice, recorder: nil).complete(.cancelled)
        }
        return nil
    }

    private static func find(
        in table: PickTable,
        from start: Int,
        count: Int,
        where matches: (ServiceEndpoint) -> Bool
    ) -> Int? {
        for step in 0..<count {
            let position = start &+ step < count ? start &+ step : start &+ step &- count
            if matches(table.endpoint(position).0) { return position }
        }
        return nil
    }

    private func askPicker(_ request: PickRequest) throws(BalancingError) -> Choice {
        let slot = custom[Stripes.place % custom.count]
        let choice = slot.table.withLock { table -> Result<Choice, BalancingError>? in
            guard let table else { return nil }
            guard let position = table.picker.pick(request),
                table.entries.indices.contains(position)
            else { return .failure(BalancingError(code: .refused)) }
            let entry = table.entries[position]
            // Under the lock: trackers are taken back only after all slots have been replaced.
            entry.tracker.begin()
            return .success(
                Choice(
                    endpoint: entry.endpoint,
                    index: entry.index,
                    generation: table.generation,
                    tracker: entry.tracker
                )
            )
        }
        // Not under the lock: the writer takes its own first.
        guard let choice else { throw emptiness }
        let made = try choice.get()
        ledger.begin()
        return made
    }
}
