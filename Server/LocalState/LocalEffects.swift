package import Model

/// What the shell must do after a call into `LocalState`.
///
/// Order: `stop`, then `start`, then `persist` in its order; `syncWanted` and `notes` any time.
package struct LocalEffects: Sendable {
    /// Checks whose probes end.
    package var stop: [String] = []
    /// Checks that run from now on, in place of an earlier one of the same id.
    package var start: [CheckTask] = []
    package var persist: [Persistence] = []
    /// Services whose description changed; for `agent/service/:id` by hash.
    package var changedServices: [String] = []
    /// Whether the catalog has something to learn.
    package var syncWanted = false
    package var notes: [Note] = []

    package init() {}

    mutating func note(_ level: Note.Level, _ message: String) {
        notes.append(Note(level: level, message: message))
    }
}

/// A check for the shell to run.
package struct CheckTask: Sendable {
    package var id: String
    package var kind: CheckKind
    package var definition: CheckRegistration
    /// Bytes of output worth keeping.
    package var outputLimit: Int

    package init(
        id: String,
        kind: CheckKind,
        definition: CheckRegistration,
        outputLimit: Int
    ) {
        self.id = id
        self.kind = kind
        self.definition = definition
        self.outputLimit = outputLimit
    }
}

/// What must survive a restart of the agent; the shell reads the records back from the state.
package enum Persistence: Hashable, Sendable {
    case saveService(id: String)
    case removeService(id: String)
    case saveCheck(id: String)
    case removeCheck(id: String)
    /// The verdict of a TTL check, worth restoring until `lifetime` has passed.
    case saveCheckState(id: String, lifetime: Nanoseconds)
    case removeCheckState(id: String)
}

/// Something a person may want to read in the log.
package struct Note: Hashable, Sendable {
    package enum Level: Hashable, Sendable {
        case debug, info, warning, error
    }

    package var level: Level
    package var message: String

    package init(level: Level, message: String) {
        self.level = level
        self.message = message
    }
}
