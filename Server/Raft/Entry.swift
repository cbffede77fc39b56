package import Model

/// A place in the log together with the term that wrote it; it determines everything before it.
///
/// - Source: Raft §5.3, the log matching property.
package struct LogPosition: Hashable, Sendable {
    package var index: LogIndex
    package var term: Term

    package init(index: LogIndex, term: Term) {
        self.index = index
        self.term = term
    }

    /// Before the first entry.
    package static let zero = LogPosition(index: .zero, term: .zero)

    /// Whether a log that ends here is at least as complete as one that ends at `other`.
    ///
    /// - Source: Raft §5.4.1.
    package func isAtLeastAsUpToDate(as other: LogPosition) -> Bool {
        term != other.term ? term > other.term : index >= other.index
    }
}

/// One entry of the replicated log.
package struct Entry: Hashable, Sendable {
    /// What an entry carries.
    package enum Body: Hashable, Sendable {
        /// Written by a new leader, so that it learns what is committed (Raft §8).
        case noop
        /// A command of the state machine, in the shell's encoding.
        case command([UInt8])
        /// The members from here on, until the next such entry (Raft §6).
        case configuration(ClusterConfiguration)
    }

    package var index: LogIndex
    package var term: Term
    package var body: Body

    package init(index: LogIndex, term: Term, body: Body) {
        self.index = index
        self.term = term
        self.body = body
    }

    package var position: LogPosition {
        LogPosition(index: index, term: term)
    }

    /// What the entry counts against limits: its payload and a fixed overhead, in bytes.
    package var sizeBytes: Int {
        switch body {
        case .noop: Entry.overheadBytes
        case .command(let payload): Entry.overheadBytes + payload.count
        case .configuration(let configuration):
            Entry.overheadBytes + 64 * (configuration.members.count + configuration.outgoing.count)
        }
    }

    static let overheadBytes = 32
}

/// What must survive a crash before a server may speak in a term.
///
/// - Source: Raft figure 2, persistent state.
package struct HardState: Hashable, Sendable {
    package var term: Term
    /// Whom this server voted for in `term`; nil when for nobody yet.
    package var votedFor: NodeID?

    package init(term: Term = .zero, votedFor: NodeID? = nil) {
        self.term = term
        self.votedFor = votedFor
    }
}

/// What a snapshot says about the log that it stands for.
///
/// - Source: Raft §7: last included index and term, and the latest configuration as of then.
package struct SnapshotPoint: Hashable, Sendable {
    /// The last entry that the snapshot includes.
    package var position: LogPosition
    /// The configuration in force at that entry, and where the log set it.
    package var configuration: PlacedConfiguration

    package init(position: LogPosition, configuration: PlacedConfiguration) {
        self.position = position
        self.configuration = configuration
    }

    package var index: LogIndex { position.index }
}
