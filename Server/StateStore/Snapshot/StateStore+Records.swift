import Model
import Wire

/// The state as the stream of records that Consul's snapshots have (`state.bin`).
///
/// ```
/// | {"LastIndex": index} | type (1 byte) | MessagePack value | type | value | …
/// ```
/// - Source: Raft sheet §8.
extension StateStore {
    /// Writes the whole state, piece by piece, in Consul's order.
    ///
    /// The same state gives the same bytes. Pieces are about `pieceBytes` long and only lent; more
    /// than a piece and a record is never held. What the stream cannot say is in `carriedState`.
    package func writeRecords<Failure: Error>(
        pieceBytes: Int = StateStreamLimits.pieceBytes,
        to sink: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var output = RecordOutput(pieceBytes: pieceBytes)
        output.header(lastIndex: lastApplied)
        try writeCatalog(&output, sink)
        for record in coordinateTree {
            output.begin(.coordinates)
            output.writer.beginArray(count: 1)
            output.value(record.coordinate)
            try output.flush(to: sink)
        }
        for record in sessionTable.records {
            output.begin(.session)
            output.value(record.session)
            try output.flush(to: sink)
        }
        try write(foreign.records(after: .session, before: .keyValue), &output, sink)
        for record in keyTable.entries {
            output.begin(.keyValue)
            output.keyValue(record)
            try output.flush(to: sink)
        }
        for stone in keyTable.tombstones {
            output.begin(.tombstone)
            output.tombstone(stone)
            try output.flush(to: sink)
        }
        try write(foreign.records(after: .tombstone, before: .autopilot), &output, sink)
        if let autopilot {
            output.begin(.autopilot)
            output.value(autopilot)
        }
        try write(foreign.records(after: .autopilot, before: .index), &output, sink)
        for (name, index) in indexEntries() {
            output.begin(.index)
            output.index(name, index)
            try output.flush(to: sink)
        }
        let last = foreign.records(after: .index, before: nil)
        try write(last, &output, sink)
        if last.isEmpty { output.emptyChunking() }
        try output.finish(to: sink)
    }

    private func writeCatalog<Failure: Error>(
        _ output: inout RecordOutput,
        _ sink: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        for entry in nodeTable.all {
            let envelope = RegisterEnvelope(entry.record.node)
            output.begin(.register)
            output.node(envelope)
            for element in entry.services {
                output.begin(.register)
                output.service(element.record, envelope)
                try output.flush(to: sink)
            }
            for check in entry.checks {
                output.begin(.register)
                output.check(check, envelope)
                try output.flush(to: sink)
            }
            try output.flush(to: sink)
        }
    }

    private func write<Failure: Error>(
        _ records: ArraySlice<ForeignRecords.Record>,
        _ output: inout RecordOutput,
        _ sink: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        for record in records {
            output.begin(record.type)
            record.bytes.withUnsafeBytes { output.writer.verbatim($0) }
            try output.flush(to: sink)
        }
    }

    /// When each table last changed, by the names Consul knows, ascending by folded name.
    private func indexEntries() -> [(name: String, index: LogIndex)] {
        var entries: [(name: String, index: LogIndex)] = []
        for (name, path) in TableIndexes.named where indexes[keyPath: path] != .zero {
            entries.append((name, indexes[keyPath: path]))
        }
        for (name, path) in KindIndexes.named where indexes.kinds[keyPath: path] != .zero {
            entries.append((name, indexes.kinds[keyPath: path]))
        }
        for element in serviceGroups {
            let group = element.cell.value
            guard let name = group.instances.first?.record.name else { continue }
            entries.append(("service.\(name)", group.index))
        }
        entries += foreign.indexes.map { ($0.name, $0.value) }
        return entries.map { (folded: $0.name.folded, entry: $0) }
            .sorted { Bytes.order($0.folded, $1.folded) < 0 }
            .map(\.entry)
    }
}

extension TableIndexes {
    /// The tables that Consul has too, by its names for them.
    static let named:
        [(name: String, path: any WritableKeyPath<TableIndexes, LogIndex> & Sendable)] = [
            ("checks", \.checks),
            ("coordinates", \.coordinates),
            ("kvs", \.keyValues),
            ("nodes", \.nodes),
            ("service_last_extinction", \.serviceExtinction),
            ("services", \.services),
            ("sessions", \.sessions),
            ("tombstones", \.tombstones),
        ]
}

/// The bounds of the record stream.
package enum StateStreamLimits {
    /// How long the pieces are that a stream is written in, in bytes.
    package static let pieceBytes = 128 * 1024
    /// The longest record that is accepted, in bytes; a stream with a longer one is refused.
    package static let recordBytes = 64 * 1024 * 1024
    /// The most records that are kept without being served; a stream with more is refused.
    package static let foreignRecords = 1_000_000
}
