import Synchronization

extension Balancer {
    /// Chooses an instance for one call.
    ///
    /// - Returns: The choice, to be completed when the call has ended.
    /// - Throws: ``BalancingError`` when there is no instance to choose.
    public func pick() throws(BalancingError) -> Pick {
        guard isPlain else {
            return Pick(try track(.any, at: nil), recorder: recorder)
        }
        return Pick(try draw(stripes.current), recorder: recorder)
    }

    /// Chooses an instance for one call that has wishes of its own.
    ///
    /// - Parameters:
    ///   - request: What this call asks for beyond the policy.
    ///   - now: When; with it, ejections end and warm-ups proceed without anybody calling
    ///     ``review(at:)``, and ``BalancingPolicy/peakEWMA(decay:failurePenalty:)`` sees latencies
    ///     age.
    /// - Returns: The choice, to be completed when the call has ended.
    /// - Throws: ``BalancingError`` when there is no instance to choose.
    public func pick(
        _ request: PickRequest,
        at now: ContinuousClock.Instant? = nil
    ) throws(BalancingError) -> Pick {
        if isPlainWithKeys, let hash = request.hash, request.avoiding.isEmpty,
            request.preferring == nil
        {
            return Pick(try draw(key: hash), recorder: recorder)
        }
        return Pick(try track(request, at: now.map(Ticks.at)), recorder: recorder)
    }

    /// Chooses the instance that a key belongs to.
    ///
    /// The same as ``pick(_:at:)`` with a request that has only a key, and faster.
    ///
    /// - Parameter hash: What the call is about, spread over all 64-bit values.
    /// - Returns: The choice, to be completed when the call has ended.
    /// - Throws: ``BalancingError`` when there is no instance to choose.
    public func pick(hash: UInt64) throws(BalancingError) -> Pick {
        guard isPlainWithKeys else { return try pick(PickRequest(hash: hash)) }
        return Pick(try draw(key: hash), recorder: recorder)
    }

    /// The instance a pick chose, or nil when a newer snapshot has replaced the one it came from.
    public func instance(of pick: borrowing Pick) -> Instance? {
        guard let snapshot, snapshot.generation == pick.generation,
            snapshot.instances.indices.contains(pick.index)
        else { return nil }
        return snapshot.instances[pick.index]
    }

    var emptiness: BalancingError {
        BalancingError(code: snapshot == nil ? .noSnapshot : .noInstances)
    }

    /// One choice by the policy, for policies that only read the table.
    @inline(__always)
    private func draw(
        _ state: UnsafeMutablePointer<Atomic<UInt64>>
    ) throws(BalancingError) -> Choice {
        while true {
            let table = table
            let version = table.version
            let count = table.count
            guard count > 0 else {
                // A table being rewritten may look empty: only an even version tells the truth.
                guard !table.isStill(version) else { throw emptiness }
                continue
            }
            let position = Self.position(in: table, count: count, state: state)
            let (endpoint, index) = table.endpoint(position)
            let generation = table.generation
            guard table.isStill(version) else { continue }
            return Choice(endpoint: endpoint, index: index, generation: generation)
        }
    }

    /// The choice that a key leads to.
    @inline(__always)
    private func draw(key: UInt64) throws(BalancingError) -> Choice {
        while true {
            let table = table
            let version = table.version
            let count = table.count
            guard count > 0 else {
                guard !table.isStill(version) else { throw emptiness }
                continue
            }
            let view = LoadView(table: table, count: count, version: version, now: nil)
            let (endpoint, index) = table.endpoint(view.keyed(key))
            let generation = table.generation
            guard table.isStill(version) else { continue }
            return Choice(endpoint: endpoint, index: index, generation: generation)
        }
    }

    /// The position that a method says which needs neither keys nor trackers.
    @inline(__always)
    static func position(
        in table: PickTable,
        count: Int,
        state: UnsafeMutablePointer<Atomic<UInt64>>
    ) -> Int {
        // Plans follow the endpoints on probation, which plain balancers never have.
        switch table.method {
        case .roundRobin:
            return turn(of: count, state: state)
        case .schedule:
            let step = turn(of: max(1, table.planCount), state: state)
            return Int(truncatingIfNeeded: table.plan(step, count: count &+ table.probes))
        case .stride:
            let rows = count &+ table.probes
            let next = StaticStride.next(
                state.pointee.load(ordering: .relaxed),
                count: count,
                tag: table.number
            ) { table.plan($0, count: rows) }
            state.pointee.store(next.sequence, ordering: .relaxed)
            return next.position
        case .alias:
            let rows = count &+ table.probes
            return AliasTable.choose(random(state), among: UInt64(count)) { column in
                table.plan(column, count: rows)
            }
        default:
            return SeededRandom.reduce(random(state), below: UInt64(count)).value
        }
    }

    /// The next random number of this thread.
    @inline(__always)
    static func random(_ state: UnsafeMutablePointer<Atomic<UInt64>>) -> UInt64 {
        let next = state.pointee.load(ordering: .relaxed) &+ SeededRandom.step
        state.pointee.store(next, ordering: .relaxed)
        return SeededRandom.mix(next)
    }

    /// This thread's turn in a cycle of `length`.
    ///
    /// A state outside the cycle (the first turn, or the list became shorter) is scattered into it,
    /// so that clients which saw the same change do not all begin at the first instance.
    @inline(__always)
    private static func turn(
        of length: Int,
        state: UnsafeMutablePointer<Atomic<UInt64>>
    ) -> Int {
        var turn = state.pointee.load(ordering: .relaxed)
        if turn >= UInt64(length) {
            turn = UInt64(SeededRandom.reduce(SeededRandom.mix(turn), below: UInt64(length)).value)
        }
        let next = turn + 1
        state.pointee.store(next == UInt64(length) ? 0 : next, ordering: .relaxed)
        return Int(turn)
    }
}
