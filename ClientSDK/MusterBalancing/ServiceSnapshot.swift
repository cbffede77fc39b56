/// The instances of a service as they were known at one moment; it never changes.
public final class ServiceSnapshot: Sendable {
    /// Where the list comes from and how far it can be trusted.
    public enum Origin: Hashable, Sendable {
        /// The registry's newest answer.
        case live
        /// The last good answer; the registry has not answered since the given moment.
        case stale(since: ContinuousClock.Instant)
        /// Instances that the registry does not list any more are among these since the moment:
        /// it listed none at all, or far fewer just after it had failed.
        case protected(since: ContinuousClock.Instant)
        /// A list kept on disk by an earlier run, that long ago; the registry has not answered yet.
        case disk(age: Duration)
    }

    /// The registry's index of this answer, 0 when there is none.
    public let index: UInt64

    /// Which snapshot of its service this is: each one published counts one more.
    public let generation: UInt64

    /// Where the list comes from.
    public let origin: Origin

    /// When the registry last confirmed this list.
    public let confirmed: ContinuousClock.Instant

    /// The instances, ordered by id, each id once.
    public let instances: [Instance]

    /// Makes a snapshot; instances are ordered by id and the first of equal ids is kept.
    ///
    /// - Parameters:
    ///   - instances: The instances in any order.
    ///   - index: The registry's index of the answer.
    ///   - generation: Which snapshot of its service this is.
    ///   - origin: Where the list comes from.
    ///   - confirmed: When the registry last confirmed it.
    public init(
        instances: [Instance],
        index: UInt64 = 0,
        generation: UInt64 = 0,
        origin: Origin = .live,
        confirmed: ContinuousClock.Instant
    ) {
        self.index = index
        self.generation = generation
        self.origin = origin
        self.confirmed = confirmed
        self.instances = Self.ordered(instances)
    }

    /// The instances ordered by id, each id once; a list that is so already is shared, not copied.
    private static func ordered(_ instances: [Instance]) -> [Instance] {
        let isOrdered = zip(instances, instances.dropFirst()).allSatisfy { $0.id < $1.id }
        if isOrdered { return instances }
        var ordered: [Instance] = []
        ordered.reserveCapacity(instances.count)
        for (_, instance) in instances.enumerated().sorted(by: {
            $0.element.id == $1.element.id
                ? $0.offset < $1.offset : $0.element.id < $1.element.id
        }) where ordered.last?.id != instance.id {
            ordered.append(instance)
        }
        return ordered
    }

    /// How long ago the registry last confirmed this list.
    public func age(at now: ContinuousClock.Instant) -> Duration {
        max(.zero, confirmed.duration(to: now))
    }

    /// What came, went and changed since `earlier`.
    public func difference(from earlier: ServiceSnapshot) -> SnapshotDifference {
        SnapshotDifference(from: earlier.instances, to: instances)
    }
}

/// What came, went and changed between two snapshots.
public struct SnapshotDifference: Hashable, Sendable {
    /// Instances only the later snapshot has.
    public var added: [Instance] = []

    /// Instances only the earlier snapshot has.
    public var removed: [Instance] = []

    /// Instances both have, as they are in the later one, when anything about them differs.
    public var changed: [Instance] = []

    /// Whether the two snapshots list the same instances.
    public var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty }

    /// Compares two lists that are ordered by id.
    init(from old: [Instance], to new: [Instance]) {
        var left = old.startIndex
        var right = new.startIndex
        while left < old.endIndex || right < new.endIndex {
            if right == new.endIndex || (left < old.endIndex && old[left].id < new[right].id) {
                removed.append(old[left])
                left += 1
            } else if left == old.endIndex || new[right].id < old[left].id {
                added.append(new[right])
                right += 1
            } else {
                if old[left] != new[right] { changed.append(new[right]) }
                left += 1
                right += 1
            }
        }
    }
}
