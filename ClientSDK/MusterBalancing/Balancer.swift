import Synchronization

/// Picks an instance for each call; safe to use from any thread or task.
///
/// A pick takes no lock, allocates nothing and counts no shared reference: it reads a table that
/// ``update(_:)`` republishes for each snapshot, and a sequence state that threads do not share.
public final class Balancer: Sendable {
    /// What a balancer may be told beyond its policy.
    public struct Options: Sendable {
        /// How many independent sequences threads are spread over, a power of two.
        ///
        /// 1 makes the order exact when a single thread picks; more keeps threads out of each
        /// other's way. Default 64, at 128 bytes each.
        public var stripes = 64

        /// Where the sequences start; nil draws it from the system once.
        public var seed: UInt64?

        /// Is told how each call ended; costs a counted reference per pick.
        public var recorder: (any CallRecorder)?

        /// Something that must live as long as the balancer, like the watch that updates it.
        public var owner: (any AnyObject & Sendable)?

        /// Makes the default options.
        public init() {}
    }

    /// What only the writer touches, under its lock.
    private struct Writer {
        var snapshot: ServiceSnapshot?
        var published: PickTable
        var spare: PickTable?
        /// Tables too small to use again; a late reader may still look at them.
        ///
        /// Invariant: each is less than half as large as the next, so all together are smaller
        /// than the newest.
        var outgrown: [PickTable] = []
    }

    /// How instances are chosen.
    public let policy: BalancingPolicy

    let recorder: (any CallRecorder)?
    private let owner: (any AnyObject & Sendable)?
    let stripes: Stripes
    private let current: Atomic<UInt>
    private let writer: Mutex<Writer>

    /// Makes a balancer that has no instances yet.
    public init(policy: BalancingPolicy = .roundRobin, options: Options = Options()) {
        self.policy = policy
        recorder = options.recorder
        owner = options.owner
        var system = SystemRandomNumberGenerator()
        stripes = Stripes(count: options.stripes, seed: options.seed ?? system.next())
        let empty = PickTable(capacity: 64)
        current = Atomic(empty.bits)
        writer = Mutex(Writer(published: empty))
    }

    deinit {
        writer.withLock { writer in
            writer.published.deallocate()
            writer.spare?.deallocate()
            for table in writer.outgrown { table.deallocate() }
        }
        stripes.deallocate()
    }

    /// The newest snapshot given to ``update(_:)``.
    public var snapshot: ServiceSnapshot? { writer.withLock(\.snapshot) }

    /// Takes the instances of `snapshot` from now on.
    ///
    /// Instances that are critical or in maintenance are left out, so are those of weight 0 while
    /// another has more. Complexity: O(n log n) at most, more for smooth weighted schedules.
    public func update(_ snapshot: ServiceSnapshot) {
        let (endpoints, weights) = Self.eligible(in: snapshot)
        let plan = weights.isEmpty ? [] : policy.plan(weights: weights)
        let needed = PickTable.words(endpoints: endpoints.count, plan: plan.count)
        writer.withLock { writer in
            var target: PickTable
            if let spare = writer.spare, spare.capacity >= needed {
                target = spare
            } else {
                if let spare = writer.spare { writer.outgrown.append(spare) }
                target = PickTable(capacity: max(needed, 2 * writer.published.capacity))
            }
            target.write(generation: snapshot.generation, endpoints: endpoints, plan: plan)
            current.store(target.bits, ordering: .releasing)
            writer.spare = writer.published
            writer.published = target
            writer.snapshot = snapshot
        }
    }

    /// The table to pick from now.
    @inline(__always)
    var table: PickTable { PickTable(bits: current.load(ordering: .acquiring)) }

    /// The endpoints that may be picked, each with its index in the snapshot, and their weights.
    private static func eligible(
        in snapshot: ServiceSnapshot
    ) -> (endpoints: [(ServiceEndpoint, Int)], weights: [UInt32]) {
        let healthy = snapshot.instances.indices.filter {
            snapshot.instances[$0].health <= .warning
        }
        let weighted = healthy.filter { snapshot.instances[$0].weight > 0 }
        let chosen = (weighted.isEmpty ? healthy : weighted).prefix(Limits.instances)
        return (
            chosen.map { (snapshot.instances[$0].endpoint, $0) },
            chosen.map { max(1, min(snapshot.instances[$0].weight, Limits.weight)) }
        )
    }
}
