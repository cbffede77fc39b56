import Model
import Wire

/// Records in Consul's canonical form, collected until a piece is full.
struct RecordOutput {
    var writer = MessagePackWriter()
    let plain = PlainParts()
    private let pieceBytes: Int

    init(pieceBytes: Int) {
        self.pieceBytes = pieceBytes
    }

    /// Hands the bytes on when a piece is full.
    mutating func flush<Failure: Error>(
        to sink: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        guard writer.count >= pieceBytes else { return }
        try finish(to: sink)
    }

    mutating func finish<Failure: Error>(
        to sink: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        try writer.withBytes(sink)
        writer.removeAll()
    }

    mutating func begin(_ type: RecordType) {
        writer.byte(type.rawValue)
    }

    mutating func value(_ record: some WireValue) {
        record.writePack(&writer)
    }

    mutating func header(lastIndex: LogIndex) {
        writer.beginMap(count: 1)
        writer.string("LastIndex")
        writer.unsigned(lastIndex.rawValue)
    }

    mutating func emptyChunking() {
        begin(.chunking)
        writer.beginMap(count: 1)
        writer.string("ChunkMap")
        writer.beginMap(count: 0)
    }

    mutating func index(_ name: String, _ index: LogIndex) {
        writer.beginMap(count: 2)
        writer.string("Key")
        writer.string(name)
        writer.string("Value")
        writer.unsigned(index.rawValue)
    }

    mutating func keyValue(_ record: KeyValueRecord) {
        let indexes = record.indexes
        writer.beginMap(count: 7)
        writer.string("CreateIndex")
        writer.unsigned(indexes.create.rawValue)
        writer.string("Flags")
        writer.unsigned(record.flags)
        writer.string("Key")
        record.withKey { writer.raw($0) }
        writer.string("LockIndex")
        writer.unsigned(record.lockIndex)
        writer.string("ModifyIndex")
        writer.unsigned(indexes.modify.rawValue)
        writer.string("Session")
        writer.string(record.session)
        writer.string("Value")
        record.withValue { $0.isEmpty ? writer.null() : writer.raw($0) }
    }

    mutating func tombstone(_ stone: Tombstone) {
        var entry = KeyValueEntry()
        entry.key = stone.key
        entry.indexes.modify = stone.index
        value(entry)
    }
}

// MARK: Catalog

/// The parts of a node's records that are the same in all of them.
///
/// A record is a map with the fields of a registration, sorted by name.
struct RegisterEnvelope {
    /// `Address` and the key `Check`.
    let beforeCheck: [UInt8]
    /// `Checks` up to the key `Service`.
    let beforeService: [UInt8]
    /// `SkipNodeUpdate` to the end.
    let afterService: [UInt8]
    let node: String

    init(_ record: Node) {
        node = record.name
        var writer = MessagePackWriter()
        writer.beginMap(count: 13)
        writer.string("Address")
        writer.string(record.address)
        writer.string("Check")
        beforeCheck = writer.take()
        writer.string("Checks")
        writer.null()
        writer.string("CreateIndex")
        writer.unsigned(record.indexes.create.rawValue)
        writer.string("Datacenter")
        writer.string(record.datacenter)
        writer.string("ID")
        writer.string(record.id)
        writer.string("ModifyIndex")
        writer.unsigned(record.indexes.modify.rawValue)
        writer.string("Node")
        writer.string(record.name)
        writer.string("NodeMeta")
        record.meta.writePack(&writer)
        writer.string("Service")
        beforeService = writer.take()
        writer.string("SkipNodeUpdate")
        writer.bool(false)
        writer.string("TaggedAddresses")
        record.taggedAddresses.writePack(&writer)
        writer.string("Token")
        writer.string("")
        afterService = writer.take()
    }
}

extension RecordOutput {
    private mutating func verbatim(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { writer.verbatim($0) }
    }

    mutating func node(_ envelope: RegisterEnvelope) {
        verbatim(envelope.beforeCheck)
        writer.null()
        verbatim(envelope.beforeService)
        writer.null()
        verbatim(envelope.afterService)
    }

    mutating func service(_ record: ServiceRecord, _ envelope: RegisterEnvelope) {
        verbatim(envelope.beforeCheck)
        writer.null()
        verbatim(envelope.beforeService)
        if !serviceFields(record) { serviceRecord(record) }
        verbatim(envelope.afterService)
    }

    /// A service by way of the whole record: what `serviceFields` must agree with.
    mutating func serviceRecord(_ record: ServiceRecord) {
        var service = record.service
        service.proxy.useGoNumbers()
        value(service)
    }

    mutating func check(_ record: CheckRecord, _ envelope: RegisterEnvelope) {
        verbatim(envelope.beforeCheck)
        if !checkFields(record) { value(record.check) }
        verbatim(envelope.beforeService)
        writer.null()
        verbatim(envelope.afterService)
    }
}

extension ProxyConfiguration {
    /// Numbers of opaque settings as Go has them after reading JSON: floating point, all of them.
    mutating func useGoNumbers() {
        config = config?.mapValues(\.withGoNumbers)
        guard let upstreams else { return }
        self.upstreams = upstreams.map { upstream in
            var upstream = upstream
            upstream.config = upstream.config?.mapValues(\.withGoNumbers)
            return upstream
        }
    }
}

extension JSONValue {
    fileprivate var withGoNumbers: JSONValue {
        switch self {
        case .integer(let value): .double(Double(value))
        case .array(let values): .array(values.map(\.withGoNumbers))
        case .object(let values): .object(values.mapValues(\.withGoNumbers))
        case .null, .bool, .double, .string: self
        }
    }
}
