package import Model

/// The registry's state: a value whose copies are snapshots.
///
/// A copy costs a few dozen references and shares everything with the original; readers keep one as
/// long as
/// they like while the owner applies commands to its own. Nothing in here reads a clock or a random
/// number, and nothing depends on the order of a hash table: the same commands give the same state.
package struct StateStore: Sendable {
    let limits: StateStoreLimits

    /// The index of the last command applied; 0 before the first.
    package internal(set) var lastApplied = LogIndex.zero

    var nodeTable = NodeTable()
    /// The services by folded name.
    ///
    /// Invariant: no group is empty.
    var serviceGroups = OrderedTree<ServiceGroupElement>()
    /// The mesh instances by the folded name of what they offer.
    ///
    /// Invariant: no group is empty.
    var meshGroups = OrderedTree<ServiceGroupElement>()
    /// The checks that are anything but passing: few, and often asked for.
    var troubledChecks = OrderedTree<CheckOfAnyNode>()
    var keyTable = KeyValueTable()
    var sessionTable = SessionTable()
    var coordinateTree = OrderedTree<CoordinateRecord>()
    var autopilot: AutopilotConfiguration?
    var indexes = TableIndexes()
    /// What a restored snapshot had and this server does not serve; written back as it came.
    var foreign = ForeignRecords()

    package init(limits: StateStoreLimits = .init()) {
        self.limits = limits
    }

    /// Applies one committed command: total, deterministic, and all or nothing.
    ///
    /// Commands come in the order of their indexes. `stamped` is the leader's time of the command;
    /// lock-delays
    /// compare such stamps. What the command touched is added to `changes`.
    /// - Source: Consul: Raft sheet §7.
    package mutating func apply(
        _ command: consuming Command,
        at index: LogIndex,
        stamped: Timestamp,
        into changes: inout ChangeSet
    ) -> CommandResult {
        lastApplied = max(lastApplied, index)
        var context = WriteContext(index: index, now: stamped, changes: changes)
        // The only reference from here on, so that sets grow in place.
        changes = ChangeSet()
        let result = apply(command, &context)
        changes = context.changes
        return result
    }

    private mutating func apply(
        _ command: consuming Command,
        _ context: inout WriteContext
    ) -> CommandResult {
        switch consume command {
        case .register(let register):
            do throws(StoreError) {
                try applyRegister(register, &context)
                return .done
            } catch {
                return .refused(.invalid(error.message))
            }
        case .deregister(let deregister):
            applyDeregister(deregister, &context)
            return .done
        case .keyValue(let command):
            return applyKeyValue(command, &context)
        case .session(let command):
            return applySession(command, &context)
        case .reapTombstones(let index):
            if let reaped = keyTable.reap(upTo: index) {
                indexes.reapedTombstones = max(indexes.reapedTombstones, reaped)
                indexes.tombstones = context.index
            }
            return .done
        case .updateCoordinates(let updates):
            updateCoordinates(updates, &context)
            return .done
        case .transaction(let operations):
            return .transaction(applyTransaction(operations, &context))
        case .autopilot(let command):
            return applyAutopilot(command, &context)
        }
    }
}

/// Where and when a command is applied, and what it touched so far.
struct WriteContext {
    let index: LogIndex
    let now: Timestamp
    var changes: ChangeSet
}

/// Why a write cannot be; the message is Consul's.
struct StoreError: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }

    static let missingNode = StoreError("Missing node registration")
    static let missingService = StoreError("Missing service registration")
}
