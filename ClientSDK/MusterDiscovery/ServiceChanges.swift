public import MusterBalancing

/// What happened to a service's instances between two looks at them.
public struct ServiceChange: Sendable {
    /// The instances as they are now.
    public let snapshot: ServiceSnapshot

    /// What came, went and changed since the change before; against nothing the first time.
    public let difference: SnapshotDifference
}

/// The changes of a service's instances; see ``WatchedService/changes``.
public struct ServiceChanges: AsyncSequence, Sendable {
    /// What the sequence gives.
    public typealias Element = ServiceChange

    /// It never fails.
    public typealias Failure = Never

    let snapshots: ServiceSnapshots

    /// Begins with the current instances, all of them added, if there are any.
    public func makeAsyncIterator() -> Iterator { Iterator(base: snapshots.makeAsyncIterator()) }

    /// Compares each snapshot with the one it gave before.
    public struct Iterator: AsyncIteratorProtocol {
        var base: ServiceSnapshots.Iterator
        private var last: ServiceSnapshot?

        init(base: ServiceSnapshots.Iterator) { self.base = base }

        /// The next change, nil when the discovery or the task has ended.
        public mutating func next() async -> ServiceChange? { await next(isolation: nil) }

        /// The next change, nil when the discovery or the task has ended.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(Never) -> ServiceChange? {
            while let snapshot = await base.next(isolation: actor) {
                let earlier = last ?? ServiceSnapshot(instances: [], confirmed: snapshot.confirmed)
                let isFirst = last == nil
                last = snapshot
                let difference = snapshot.difference(from: earlier)
                if isFirst || !difference.isEmpty {
                    return ServiceChange(snapshot: snapshot, difference: difference)
                }
            }
            return nil
        }
    }
}
