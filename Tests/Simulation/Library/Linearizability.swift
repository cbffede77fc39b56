package import Model

/// A call on one object of which nothing but calls in some order changes the state.
package protocol SequentialCall {
    associatedtype State: Hashable

    /// Orders calls that began at the same time.
    var id: UInt64 { get }
    var invoked: Instant { get }
    /// nil while the outcome is unknown: it may have its effect at any later time, or never.
    var returned: Instant? { get }

    /// The object's state after the call; nil when its answer would have been another.
    func state(after state: State) -> State?
}

/// Decides whether a history of one object is linearizable.
///
/// - Source: Wing and Gong, 1993, with the memory of Lowe, "Testing for linearizability", 2017.
package enum Linearizability {
    private struct Configuration<State: Hashable>: Hashable {
        var done: [UInt64]
        var state: State
    }

    private struct Step<State> {
        var call: Int
        var before: State
    }

    /// Whether some order explains the answers; gives up and believes after `patience` steps.
    ///
    /// Complexity: exponential in the number of operations that overlap, at worst.
    package static func holds<Call: SequentialCall>(
        for calls: [Call],
        from initial: Call.State,
        patience: Int = 200_000
    ) -> Bool {
        let order = calls.indices.sorted {
            let (left, right) = (calls[$0], calls[$1])
            return left.invoked != right.invoked
                ? left.invoked < right.invoked : left.id < right.id
        }
        let required = calls.filter { $0.returned != nil }.count
        var done = [UInt64](repeating: 0, count: calls.count / 64 + 1)
        var seen: Set<Configuration<Call.State>> = []
        var stack: [Step<Call.State>] = []
        var (state, finished, next) = (initial, 0, 0)
        var patience = patience
        while finished < required, patience > 0 {
            patience -= 1
            var advanced = false
            let deadline = earliestReturn(calls, order, done)
            while next < order.count {
                let candidate = order[next]
                let call = calls[candidate]
                next += 1
                if call.invoked > deadline { break }
                guard !contains(done, candidate), let after = call.state(after: state) else {
                    continue
                }
                insert(&done, candidate)
                if seen.insert(Configuration(done: done, state: after)).inserted {
                    stack.append(Step(call: candidate, before: state))
                    state = after
                    finished += call.returned == nil ? 0 : 1
                    advanced = true
                    next = 0
                    break
                }
                remove(&done, candidate)
            }
            if advanced { continue }
            guard let step = stack.popLast() else { return false }
            remove(&done, step.call)
            state = step.before
            finished -= calls[step.call].returned == nil ? 0 : 1
            next = (order.firstIndex(of: step.call) ?? 0) + 1
        }
        return true
    }

    /// Whatever comes next began before any operation that is not placed yet was answered.
    private static func earliestReturn<Call: SequentialCall>(
        _ calls: [Call],
        _ order: [Int],
        _ done: [UInt64]
    ) -> Instant {
        var earliest = Instant(nanoseconds: .max)
        for index in order {
            if calls[index].invoked > earliest { break }
            guard !contains(done, index), let returned = calls[index].returned else { continue }
            earliest = min(earliest, returned)
        }
        return earliest
    }

    private static func contains(_ set: [UInt64], _ index: Int) -> Bool {
        set[index / 64] >> UInt64(index % 64) & 1 == 1
    }

    private static func insert(_ set: inout [UInt64], _ index: Int) {
        set[index / 64] |= 1 << UInt64(index % 64)
    }

    private static func remove(_ set: inout [UInt64], _ index: Int) {
        set[index / 64] &= ~(1 << UInt64(index % 64))
    }
}
