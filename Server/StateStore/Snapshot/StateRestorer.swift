package import Model
import Wire

/// Builds a store from the records of a snapshot, with the indexes that they carry.
///
/// Records come in the stream's order, nodes before what is on them. Nothing can be asked of the
/// store before `finish`; an error leaves nothing behind.
package struct StateRestorer {
    private var store: StateStore
    private let carried: CarriedState?
    private var foreignRecords: [ForeignRecords.Record] = []
    private var foreignIndexes: [ForeignRecords.Index] = []
    /// The indexes of services, by folded name.
    private var serviceIndexes: [String: LogIndex] = [:]
    /// The node that the last record was about.
    private var lastNode: (name: String, key: NodeName)?
    /// Records so far, by type.
    package private(set) var counts: [RecordType: Int] = [:]

    /// `carried` is the original's `carriedState`; empty when there was none.
    package init(
        limits: StateStoreLimits = .init(),
        carried: [UInt8] = []
    ) throws(StateStreamError) {
        store = StateStore(limits: limits)
        guard !carried.isEmpty else {
            self.carried = nil
            return
        }
        do throws(WireError) {
            let state = try MessagePack.decode(CarriedState.self, from: carried)
            guard state.version == CarriedState.currentVersion else {
                throw WireError(.value, "version \(state.version) of the carried state")
            }
            self.carried = state
        } catch {
            throw StateStreamError(.malformed, at: 0, "carried state: \(error.message)")
        }
    }

    /// Takes in one record.
    package mutating func add(_ frame: RecordFramer.Frame) throws(StateStreamError) {
        counts[frame.type, default: 0] += 1
        do throws(WireError) {
            switch frame.type {
            case .register: try addRegistration(frame)
            case .coordinates: try addCoordinates(frame)
            case .session: try addSession(frame)
            case .keyValue: try addKey(frame)
            case .tombstone: try addTombstone(frame)
            case .autopilot: store.autopilot = try decode(AutopilotConfiguration.self, frame)
            case .index: try addIndex(frame)
            default: try keep(frame)
            }
        } catch {
            let code: StateStreamError.Code =
                switch error.code {
                case .value: .inconsistent
                case .limit: .limit
                case .syntax, .type, .unknownField: .malformed
                }
            let type = frame.type.name ?? "\(frame.type.rawValue)"
            throw StateStreamError(code, at: frame.offset, "\(type): \(error.message)")
        }
    }

    /// The store, once every record is in.
    package mutating func finish(lastIndex: LogIndex) throws(StateStreamError) -> StateStore {
        store.lastApplied = lastIndex
        store.foreign = ForeignRecords(records: foreignRecords, indexes: foreignIndexes)
        if let carried {
            do throws(WireError) {
                try store.adopt(carried, serviceIndexes)
            } catch {
                throw StateStreamError(.inconsistent, at: 0, "carried state: \(error.message)")
            }
        } else {
            store.deriveIndexes(serviceIndexes)
        }
        return store
    }

    private func decode<Record: WireRecord>(
        _ type: Record.Type,
        _ frame: RecordFramer.Frame
    ) throws(WireError) -> Record {
        var reader = MessagePackReader(frame.value)
        var record = Record()
        try record.readPack(&reader)
        return record
    }

    // MARK: Catalog

    private mutating func addRegistration(_ frame: RecordFramer.Frame) throws(WireError) {
        let part = try decode(RegistrationPart.self, frame)
        let node: NodeName
        if let lastNode, Bytes.equal(lastNode.name, part.node), part.isOnNode {
            node = lastNode.key
        } else {
            node = try nodeOf(frame, named: part)
            lastNode = (part.node, node)
        }
        if let service = part.service {
            try store.restore(service, on: node)
        }
        for check in part.allChecks {
            try store.restore(check, on: node)
        }
    }

    /// The node of a record, taken in first when the record is its own or the first about it.
    private mutating func nodeOf(
        _ frame: RecordFramer.Frame,
        named part: RegistrationPart
    ) throws(WireError) -> NodeName {
        if let known = store.nodeTable.name(part.node.folded) {
            guard part.isOnNode else {
                throw WireError(.value, "node \(GoQuote.quote(part.node)) comes twice")
            }
            return known
        }
        let request = try decode(RegisterRequest.self, frame)
        var node = request.node
        node.datacenter = request.datacenter
        guard !node.name.isEmpty else { throw WireError(.value, "a node without a name") }
        let record = NodeRecord(node, foldedName: node.name.folded)
        store.nodeTable.add(record, at: node.indexes.modify)
        guard let name = store.nodeTable.name(record.foldedName) else {
            throw WireError(.value, "node \(GoQuote.quote(node.name)) is lost")
        }
        return name
    }

    private mutating func addCoordinates(_ frame: RecordFramer.Frame) throws(WireError) {
        var reader = MessagePackReader(frame.value)
        var coordinates: [NodeCoordinate] = []
        try coordinates.readPack(&reader)
        for coordinate in coordinates where coordinate.coordinate.isFinite {
            let record = CoordinateRecord(coordinate)
            let key = CoordinateKey(node: record.foldedNode, segment: record.foldedSegment)
            store.coordinateTree.insert(record, at: key)
        }
    }

    // MARK: Keys and sessions

    private mutating func addSession(_ frame: RecordFramer.Frame) throws(WireError) {
        let session = try decode(Session.self, frame)
        guard !session.id.isEmpty else { throw WireError(.value, "a session without an id") }
        guard store.sessionTable.find(session.id) == nil else {
            throw WireError(.value, "session \(session.id) comes twice")
        }
        store.sessionTable.insert(SessionRecord(session))
    }

    private mutating func addKey(_ frame: RecordFramer.Frame) throws(WireError) {
        let entry = try decode(KeyValueEntry.self, frame)
        try Self.checkKey(entry, frame)
        let record = KeyValueRecord(entry)
        let old = Bytes.with(entry.key) { store.keyTable.entries.insert(record, at: $0) }
        guard old == nil else {
            throw WireError(.value, "key \(GoQuote.quote(entry.key)) comes twice")
        }
        if !entry.session.isEmpty {
            let held = HeldKey(session: entry.session.folded, key: entry.key)
            store.keyTable.heldKeys.insert(held, at: held)
        }
    }

    private mutating func addTombstone(_ frame: RecordFramer.Frame) throws(WireError) {
        let entry = try decode(KeyValueEntry.self, frame)
        try Self.checkKey(entry, frame)
        store.keyTable.bury(entry.key, isTree: false, at: entry.indexes.modify)
    }

    /// Refuses keys that the reader had to change, because they are not text.
    ///
    /// - Deviation: Consul's keys are any bytes; here they are UTF-8.
    private static func checkKey(
        _ entry: KeyValueEntry,
        _ frame: RecordFramer.Frame
    ) throws(WireError) {
        let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]
        guard entry.key.utf8.contains(replacement[0]),
            entry.key.unicodeScalars.contains("\u{FFFD}")
        else { return }
        let bytes = Array(frame.value)
        let isWritten = bytes.indices.dropLast(2).contains { start in
            bytes[start] == replacement[0] && bytes[start + 1] == replacement[1]
                && bytes[start + 2] == replacement[2]
        }
        guard isWritten else {
            let key = GoQuote.quote(entry.key)
            throw WireError(.syntax, "key \(key) is not UTF-8; rename it before the save")
        }
    }

    // MARK: The rest

    private mutating func addIndex(_ frame: RecordFramer.Frame) throws(WireError) {
        let entry = try decode(IndexRecord.self, frame)
        let index = LogIndex(rawValue: entry.value)
        let name = entry.key
        if let table = TableIndexes.named.first(where: { Bytes.equal($0.name, name) }) {
            store.indexes[keyPath: table.path] = index
        } else if let kind = KindIndexes.named.first(where: { Bytes.equal($0.name, name) }) {
            store.indexes.kinds[keyPath: kind.path] = index
        } else if Bytes.hasPrefix(name, "service.") {
            serviceIndexes[String(name.dropFirst("service.".count)).folded] = index
        } else {
            try checkForeignCount()
            foreignIndexes.append(ForeignRecords.Index(name: name, value: index))
        }
    }

    private mutating func keep(_ frame: RecordFramer.Frame) throws(WireError) {
        try checkForeignCount()
        foreignRecords.append(
            ForeignRecords.Record(type: frame.type, bytes: Array(frame.value))
        )
    }

    private func checkForeignCount() throws(WireError) {
        let limit = StateStreamLimits.foreignRecords
        guard foreignRecords.count + foreignIndexes.count < limit else {
            throw WireError(.limit, "more than \(limit) records that are not served here")
        }
    }
}

/// What is read of a registration that is about something on a known node.
private struct RegistrationPart: WireRecord {
    var node = ""
    var service: CatalogService?
    var check: HealthCheck?
    var checks: [HealthCheck]?

    /// False for the record of the node itself.
    var isOnNode: Bool { service != nil || check != nil || checks != nil }
    var allChecks: [HealthCheck] { (checks ?? []) + (check.map { [$0] } ?? []) }

    static var goType: String { "structs.RegisterRequest" }
    static var unknownKeys: UnknownKeys { .ignored }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Check", &check)
        try visitor.field("Checks", &checks)
        try visitor.field("Node", &node)
        try visitor.field("Service", &service)
    }
}

/// A record of type 16.
private struct IndexRecord: WireRecord {
    var key = ""
    var value: UInt64 = 0

    static var goType: String { "state.IndexEntry" }
    static var unknownKeys: UnknownKeys { .ignored }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Key", &key)
        try visitor.field("Value", &value)
    }
}
