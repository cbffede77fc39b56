package import Model
package import Raft

/// What a snapshot says about itself and about the log that it stands for.
package struct SnapshotMetadata: Hashable, Sendable {
    /// The index of the state: the log's, moved by `indexOffset`.
    package var stateIndex: LogIndex
    /// The last entry that the snapshot includes.
    package var position: LogPosition
    /// The members at that entry, and where the log set them.
    package var configuration: PlacedConfiguration
    /// When it was taken, by the wall clock of the server that took it.
    package var created: Timestamp
    /// The cluster that took it; 0 in an archive of Consul's.
    package var cluster: UInt128 = 0
    /// What is added to a log index to give the index of the state.
    package var indexOffset: UInt64 = 0
    /// The time of the last entry applied.
    package var lastStamp = Timestamp(nanosecondsSinceEpoch: 0)
    /// The table of applied requests, in the state machine's encoding.
    package var requests: [UInt8] = []
    /// False when Consul wrote the archive, so that only what Consul has is known.
    package var isOurs = true
    /// Bytes of `state.bin`; set by whoever reads or writes the archive.
    package internal(set) var stateBytes = 0

    /// The version of what `meta.json` has beside Consul's fields.
    package static let version: UInt64 = 1

    package init(
        stateIndex: LogIndex,
        position: LogPosition,
        configuration: PlacedConfiguration,
        created: Timestamp
    ) {
        self.stateIndex = stateIndex
        self.position = position
        self.configuration = configuration
        self.created = created
    }

    /// The snapshot's name as Consul shows it.
    package var id: String {
        let milliseconds = created.nanosecondsSinceEpoch / 1_000_000
        return "\(position.term.rawValue)-\(stateIndex.rawValue)-\(milliseconds)"
    }

    /// The index of the state as a bare number.
    package var index: UInt64 { stateIndex.rawValue }

    /// What `snapshot inspect` shows, in its order.
    ///
    /// - Source: Consul: `consul snapshot inspect`.
    package var summary: [(name: String, value: String)] {
        [
            ("ID", id), ("Size", "\(stateBytes)"), ("Index", "\(index)"),
            ("Term", "\(position.term.rawValue)"), ("Version", "1"),
        ]
    }

    /// What the consensus core is told about it.
    package var point: SnapshotPoint {
        SnapshotPoint(position: position, configuration: configuration)
    }
}
