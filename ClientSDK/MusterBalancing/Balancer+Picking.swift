import Synchronization

extension Balancer {
    /// Chooses an instance for one call.
    ///
    /// - Returns: The choice, to be completed when the call has ended.
    /// - Throws: ``BalancingError`` when there is no instance to choose.
    public func pick() throws(BalancingError) -> Pick {
        Pick(try draw(stripes.current), recorder: recorder)
    }

    /// Chooses an instance for one call that has wishes of its own.
    ///
    /// - Parameter request: What this call asks for beyond the policy.
    /// - Returns: The choice, to be completed when the call has ended.
    /// - Throws: ``BalancingError`` when there is no instance to choose.
    public func pick(_ request: PickRequest) throws(BalancingError) -> Pick {
        let state = stripes.current
        var choice = try draw(state)
        guard let avoided = request.avoiding else { return Pick(choice, recorder: recorder) }
        for _ in 0..<Limits.avoidingDraws where choice.endpoint == avoided {
            choice = try draw(state)
        }
        return Pick(choice, recorder: recorder)
    }

    /// One choice by the policy.
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
                guard version & 1 == 1 || table.version != version else { throw emptiness }
                continue
            }
            let position = position(in: table, count: count, state: state)
            let (endpoint, index) = table.endpoint(position)
            let generation = table.generation
            guard version & 1 == 0, table.version == version else { continue }
            return Choice(endpoint: endpoint, index: index, generation: generation)
        }
    }

    /// The instance a pick chose, or nil when a newer snapshot has replaced the one it came from.
    public func instance(of pick: borrowing Pick) -> Instance? {
        guard let snapshot, snapshot.generation == pick.generation,
            snapshot.instances.indices.contains(pick.index)
        else { return nil }
        return snapshot.instances[pick.index]
    }

    private var emptiness: BalancingError {
        BalancingError(code: snapshot == nil ? .noSnapshot : .noInstances)
    }

    @inline(__always)
    private func position(
        in table: PickTable,
        count: Int,
        state: UnsafeMutablePointer<Atomic<UInt64>>
    ) -> Int {
        switch policy.kind {
        case .roundRobin:
            return Self.turn(of: count, state: state)
        case .smoothWeightedRoundRobin:
            let length = max(1, table.planCount)
            let step = Self.turn(of: length, state: state)
            return Int(truncatingIfNeeded: table.plan(step, count: count))
        case .weightedRoundRobin:
            return Self.stride(over: table, count: count, state: state)
        case .random:
            return SeededRandom.reduce(Self.random(state), below: UInt64(count)).value
        case .weightedRandom:
            return AliasTable.choose(Self.random(state), among: UInt64(count)) { column in
                table.plan(column, count: count)
            }
        }
    }

    /// The next random number of this thread.
    @inline(__always)
    private static func random(_ state: UnsafeMutablePointer<Atomic<UInt64>>) -> UInt64 {
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

    /// The next turn that is taken in this thread's round.
    ///
    /// The state holds the round in its high half and the next position in its low half.
    @inline(__always)
    private static func stride(
        over table: PickTable,
        count: Int,
        state: UnsafeMutablePointer<Atomic<UInt64>>
    ) -> Int {
        let word = state.pointee.load(ordering: .relaxed)
        var round = word >> 32
        var position = word & 0xffff_ffff
        if position >= UInt64(count) {
            position = UInt64(
                SeededRandom.reduce(SeededRandom.mix(word), below: UInt64(count)).value
            )
        }
        // The heaviest takes every turn, so one round is enough; the bound covers torn reads.
        for _ in 0...count {
            let taken = position
            let weight = table.plan(Int(taken), count: count)
            let takes = StaticStride.takes(weight: weight, round: round, position: taken)
            position &+= 1
            if position == UInt64(count) {
                position = 0
                round = (round + 1) & 0xffff_ffff
            }
            if takes {
                state.pointee.store(round << 32 | position, ordering: .relaxed)
                return Int(taken)
            }
        }
        return 0
    }
}
