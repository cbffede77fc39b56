import Model
import Wire

/// What the parts of a record become that most records have in the same form.
struct PlainParts {
    /// The JSON of a part that nothing was set in, and its MessagePack.
    struct Part {
        let json: [UInt8]
        let pack: [UInt8]

        init(_ value: some WireValue) {
            json = JSON.encode(value)
            pack = MessagePack.encode(value)
        }

        func isWritten(as text: UnsafeRawBufferPointer) -> Bool {
            json.withUnsafeBytes { Bytes.order($0, text) == 0 }
        }
    }

    let definition = Part(HealthCheckDefinition())
    let proxy = Part(ProxyConfiguration())
    let connect = Part(ServiceConnect())
}

/// Records made of their JSON, field by field, without decoding what is the same in both forms.
///
/// The bytes are those that the decoded record would be written as.
extension RecordOutput {
    /// Appends a service; false, with nothing appended, when its JSON is not as expected.
    mutating func serviceFields(_ record: ServiceRecord) -> Bool {
        record.withJSON { json in
            guard let fields = ServiceFields(json) else { return false }
            let header = record.storage.header
            writer.beginMap(count: 15)
            field("Address", fields.address, as: String.self)
            part("Connect", fields.connect, plain.connect, as: ServiceConnect.self)
            field("CreateIndex", fields.createIndex, as: UInt64.self)
            field("EnableTagOverride", fields.enableTagOverride, as: Bool.self)
            field("ID", fields.id, as: String.self)
            field("Kind", fields.kind, as: String.self)
            writer.name("LocallyRegisteredAsSidecar")
            writer.bool(header.isSidecar)
            field("Meta", fields.meta, as: [String: String]?.self)
            field("ModifyIndex", fields.modifyIndex, as: UInt64.self)
            field("Port", fields.port, as: Int.self)
            proxy(fields.proxy)
            field("Service", fields.service, as: String.self)
            field("TaggedAddresses", fields.addresses, as: [String: ServiceAddress]?.self)
            field("Tags", header.hasTags ? fields.tags : nil, as: [String]?.self)
            field("Weights", fields.weights, as: WireWeights?.self)
            return true
        }
    }

    /// Appends a check; false, with nothing appended, when its JSON is not as expected.
    mutating func checkFields(_ record: CheckRecord) -> Bool {
        record.withJSON { json in
            guard let fields = CheckFields(json) else { return false }
            writer.beginMap(count: 13)
            field("CheckID", fields.id, as: String.self)
            field("CreateIndex", fields.createIndex, as: UInt64.self)
            part("Definition", fields.definition, plain.definition, as: HealthCheckDefinition.self)
            field("ModifyIndex", fields.modifyIndex, as: UInt64.self)
            field("Name", fields.name, as: String.self)
            field("Node", fields.node, as: String.self)
            field("Notes", fields.notes, as: String.self)
            field("Output", fields.output, as: String.self)
            field("ServiceID", fields.serviceID, as: String.self)
            field("ServiceName", fields.serviceName, as: String.self)
            field(
                "ServiceTags",
                record.storage.header.hasTags ? fields.serviceTags : nil,
                as: [String]?.self
            )
            field("Status", fields.status, as: String.self)
            field("Type", fields.type, as: String.self)
            return true
        }
    }

    /// A field whose two forms correspond; one that JSON leaves out has its zero value.
    private mutating func field<Value: WireValue>(
        _ name: StaticString,
        _ json: UnsafeRawBufferPointer?,
        as type: Value.Type
    ) {
        writer.name(name)
        guard let json else { return value(Value()) }
        guard !writer.transcribe(json) else { return }
        value(Self.decode(type, json))
    }

    /// A field with a form of its own in JSON, which is mostly empty.
    private mutating func part<Value: WireValue>(
        _ name: StaticString,
        _ json: UnsafeRawBufferPointer,
        _ usual: PlainParts.Part,
        as type: Value.Type
    ) {
        writer.name(name)
        guard !usual.isWritten(as: json) else {
            return usual.pack.withUnsafeBytes { writer.verbatim($0) }
        }
        value(Self.decode(type, json))
    }

    private mutating func proxy(_ json: UnsafeRawBufferPointer) {
        writer.name("Proxy")
        guard !plain.proxy.isWritten(as: json) else {
            return plain.proxy.pack.withUnsafeBytes { writer.verbatim($0) }
        }
        var proxy = Self.decode(ProxyConfiguration.self, json)
        proxy.useGoNumbers()
        value(proxy)
    }

    /// The zero value never comes of what the store encoded.
    private static func decode<Value: WireValue>(
        _ type: Value.Type,
        _ json: UnsafeRawBufferPointer
    ) -> Value {
        do { return try JSON.decode(type, from: json) } catch { return Value() }
    }
}

/// The texts of a service's values; nil for what its JSON leaves out.
private struct ServiceFields {
    let kind: UnsafeRawBufferPointer?
    let id: UnsafeRawBufferPointer
    let service: UnsafeRawBufferPointer
    let tags: UnsafeRawBufferPointer
    let address: UnsafeRawBufferPointer
    let addresses: UnsafeRawBufferPointer?
    let meta: UnsafeRawBufferPointer
    let port: UnsafeRawBufferPointer
    let weights: UnsafeRawBufferPointer
    let enableTagOverride: UnsafeRawBufferPointer
    let proxy: UnsafeRawBufferPointer
    let connect: UnsafeRawBufferPointer
    let createIndex: UnsafeRawBufferPointer
    let modifyIndex: UnsafeRawBufferPointer

    /// Nil when the object has other fields, or another order.
    init?(_ object: UnsafeRawBufferPointer) {
        guard var fields = JSONFields(object) else { return nil }
        kind = fields.next("Kind")
        guard let id = fields.next("ID"), let service = fields.next("Service"),
            let tags = fields.next("Tags"), let address = fields.next("Address")
        else { return nil }
        (self.id, self.service, self.tags, self.address) = (id, service, tags, address)
        addresses = fields.next("TaggedAddresses")
        guard let meta = fields.next("Meta"), let port = fields.next("Port"),
            let weights = fields.next("Weights"),
            let enableTagOverride = fields.next("EnableTagOverride"),
            let proxy = fields.next("Proxy"), let connect = fields.next("Connect"),
            let createIndex = fields.next("CreateIndex"),
            let modifyIndex = fields.next("ModifyIndex"), fields.isAtEnd
        else { return nil }
        (self.meta, self.port, self.weights) = (meta, port, weights)
        self.enableTagOverride = enableTagOverride
        (self.proxy, self.connect) = (proxy, connect)
        (self.createIndex, self.modifyIndex) = (createIndex, modifyIndex)
    }
}

/// The texts of a check's values.
private struct CheckFields {
    let node: UnsafeRawBufferPointer
    let id: UnsafeRawBufferPointer
    let name: UnsafeRawBufferPointer
    let status: UnsafeRawBufferPointer
    let notes: UnsafeRawBufferPointer
    let output: UnsafeRawBufferPointer
    let serviceID: UnsafeRawBufferPointer
    let serviceName: UnsafeRawBufferPointer
    let serviceTags: UnsafeRawBufferPointer
    let type: UnsafeRawBufferPointer
    let definition: UnsafeRawBufferPointer
    let createIndex: UnsafeRawBufferPointer
    let modifyIndex: UnsafeRawBufferPointer

    /// Nil when the object has other fields, or another order.
    init?(_ object: UnsafeRawBufferPointer) {
        guard var fields = JSONFields(object) else { return nil }
        guard let node = fields.next("Node"), let id = fields.next("CheckID"),
            let name = fields.next("Name"), let status = fields.next("Status"),
            let notes = fields.next("Notes"), let output = fields.next("Output"),
            let serviceID = fields.next("ServiceID"),
            let serviceName = fields.next("ServiceName"),
            let serviceTags = fields.next("ServiceTags"), let type = fields.next("Type"),
            let definition = fields.next("Definition"),
            let createIndex = fields.next("CreateIndex"),
            let modifyIndex = fields.next("ModifyIndex"), fields.isAtEnd
        else { return nil }
        (self.node, self.id, self.name, self.status) = (node, id, name, status)
        (self.notes, self.output) = (notes, output)
        (self.serviceID, self.serviceName, self.serviceTags) = (serviceID, serviceName, serviceTags)
        (self.type, self.definition) = (type, definition)
        (self.createIndex, self.modifyIndex) = (createIndex, modifyIndex)
    }
}
