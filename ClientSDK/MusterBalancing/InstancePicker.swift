import Synchronization

/// A way to choose of one's own; see ``BalancingPolicy/custom(_:_:)``.
public protocol InstancePicker: Sendable {
    /// Chooses an instance.
    ///
    /// Called on every pick, from several threads at the same time, under a lock that few of them
    /// share: it must not block, nor pick from the same balancer.
    ///
    /// - Parameter request: What the call asks for.
    /// - Returns: A position in the context's instances, or nil when none will do. A position
    ///   outside counts as nil.
    func pick(_ request: PickRequest) -> Int?
}

/// What a picker is made for: the instances that may take calls, until they change.
public struct PickerContext: Sendable {
    /// The instances, ordered by id; not empty.
    public let instances: [Instance]

    /// What each weighs now: registered weight, warm-up and zone taken together; none is 0.
    public let weights: [UInt32]

    let trackers: [Tracker]

    /// How many calls the instance at `position` has in flight through this balancer.
    public func inFlight(_ position: Int) -> Int {
        trackers.indices.contains(position) ? trackers[position].inFlight : 0
    }
}

/// A named way to make pickers, equal only to itself.
final class CustomPolicy: Hashable, Sendable {
    let name: String
    let make: @Sendable (PickerContext) -> any InstancePicker

    init(name: String, make: @escaping @Sendable (PickerContext) -> any InstancePicker) {
        self.name = name
        self.make = make
    }

    static func == (lhs: CustomPolicy, rhs: CustomPolicy) -> Bool { lhs === rhs }

    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// Where some of the threads find the picker of the moment.
///
/// Each has a table object of its own, so that threads do not count references to the same one.
final class CustomSlot: Sendable {
    static let count = 16

    let table = Mutex<CustomTable?>(nil)
    /// Keeps neighbours on other cache lines.
    private let padding: InlineArray<12, UInt64> = .init(repeating: 0)
}

/// A picker and the table its positions mean.
final class CustomTable: Sendable {
    let picker: any InstancePicker
    let entries: [PickTable.Content.Entry]
    let generation: UInt64

    init(
        picker: any InstancePicker,
        entries: [PickTable.Content.Entry],
        generation: UInt64
    ) {
        self.picker = picker
        self.entries = entries
        self.generation = generation
    }
}
