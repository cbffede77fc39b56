/// The position of an entry in the replicated log.
///
/// The index of the entry that wrote a record becomes the record's `CreateIndex` or `ModifyIndex`,
/// and the greatest index a query depends on becomes its `X-Consul-Index`.
/// Range: 1 and up for entries; 0 means "none".
package struct LogIndex: RawRepresentable, Hashable, Comparable, Sendable {
    package var rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Before the first entry.
    package static let zero = LogIndex(rawValue: 0)

    package static func < (left: LogIndex, right: LogIndex) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The index of the entry that follows.
    package var next: LogIndex {
        LogIndex(rawValue: rawValue + 1)
    }
}

/// When a record was created and last changed, as log indexes.
package struct RecordIndexes: Hashable, Sendable {
    package var create: LogIndex
    package var modify: LogIndex

    package init(create: LogIndex = .zero, modify: LogIndex = .zero) {
        self.create = create
        self.modify = modify
    }
}
