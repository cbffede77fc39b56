package import Model

/// What was registered with this agent, the state machines of its checks, and what the catalog
/// still has to learn of it.
///
/// The shell calls in with the moment of the call, carries out the effects, and calls `advance`
/// when `nextDeadline` has come. It proposes what `nextSync` gives and reports each outcome.
package struct LocalState: Sendable {
    package var configuration: LocalConfiguration

    var serviceTable: [String: LocalService] = [:]
    var checkTable: [String: LocalCheck] = [:]
    /// Checks by the service they belong to; the empty name has the node's own.
    var checksOfService: [String: Set<String>] = [:]
    /// Alias checks, which follow other checks of this agent.
    var aliases: Set<String> = []
    /// Entries that the catalog may not have.
    ///
    /// Invariant: holds every entry that is not in sync.
    var unsyncedServices: Set<String> = []
    var unsyncedChecks: Set<String> = []
    var nodeInSync = false
    var nodeInFlight = false
    var deadlines = DeadlineHeap()
    var lastVersion: UInt64 = 0
    var random: SplitMix
    /// How often the catalog was found to differ from what had been synced.
    package internal(set) var driftCount: UInt64 = 0

    package init(configuration: LocalConfiguration, seed: UInt64) {
        self.configuration = configuration
        random = SplitMix(state: seed)
    }

    // MARK: Reads

    /// The registered services, by id in byte order.
    package var services: [LocalService] {
        serviceTable.values.filter { !$0.isDeleted }
            .sorted { precedes($0.service.id, $1.service.id) }
    }

    /// The registered checks, by id in byte order.
    package var checks: [LocalCheck] {
        checkTable.values.filter { !$0.isDeleted }
            .sorted { precedes($0.check.id, $1.check.id) }
    }

    package func service(_ id: String) -> LocalService? {
        guard let entry = serviceTable[id], !entry.isDeleted else { return nil }
        return entry
    }

    package func check(_ id: String) -> LocalCheck? {
        guard let entry = checkTable[id], !entry.isDeleted else { return nil }
        return entry
    }

    /// The checks of one service (the node's own for an empty id), by id in byte order.
    package func checks(ofService id: String) -> [LocalCheck] {
        (checksOfService[id] ?? []).compactMap { check($0) }
            .sorted { precedes($0.check.id, $1.check.id) }
    }

    /// When `advance` has something to do; nil means never.
    ///
    /// It may be early, never late.
    package var nextDeadline: Instant? { deadlines.earliest }

    // MARK: Helpers

    mutating func nextVersion() -> UInt64 {
        lastVersion += 1
        return lastVersion
    }

    /// Puts the check's next deadline into the heap unless an earlier entry is there already.
    mutating func arm(_ id: String) {
        guard let due = checkTable[id]?.nextDeadline else { return }
        if let armed = checkTable[id]?.armedAt, armed <= due { return }
        checkTable[id]?.armedAt = due
        deadlines.push(DeadlineHeap.Entry(due: due, checkID: id))
    }
}

/// Byte order, as Consul sorts; Swift's own comparison of strings is by Unicode rules.
func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
}

/// A small seeded generator; it spreads deferred updates, nothing depends on its quality.
///
/// - Source: Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (SplitMix64).
struct SplitMix: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
