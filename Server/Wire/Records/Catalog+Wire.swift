package import Model

extension Node: WireRecord {
    package static var goType: String { "structs.Node" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("ID", &id, goType: "types.NodeID")
        try visitor.field("Node", &name)
        try visitor.field("Address", &address)
        try visitor.field("Datacenter", &datacenter)
        try visitor.field("TaggedAddresses", &taggedAddresses)
        try visitor.field("Meta", &meta)
        try visitor.indexes(&indexes)
    }
}

extension CatalogService: WireRecord {
    package static var goType: String { "structs.NodeService" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Kind", &kind, .omitEmpty)
        try visitor.field("ID", &id)
        try visitor.field("Service", &name)
        try visitor.field("Tags", &tags)
        try visitor.field("Address", &address)
        try visitor.field("TaggedAddresses", &taggedAddresses, .omitEmpty)
        try visitor.field("Meta", &meta)
        try visitor.field("Port", &port)
        try visitor.weights("Weights", &weights)
        try visitor.field("EnableTagOverride", &enableTagOverride)
        try visitor.field("Proxy", &proxy)
        try visitor.field("Connect", &connect)
        if !Visitor.isJSON {
            try visitor.field("LocallyRegisteredAsSidecar", &locallyRegisteredAsSidecar)
        }
        try visitor.indexes(&indexes)
    }
}

extension ServiceKind: WireText {
    package static var goType: String { "structs.ServiceKind" }

    package init() {
        self = .typical
    }
}

extension CheckStatus: WireText {
    package static var goType: String { "string" }
    /// A new check is critical.
    package var isDefault: Bool { false }

    package init() {
        self.init(rawValue: "")
    }
}

extension ServiceAddress: WireRecord {
    package static var goType: String { "structs.ServiceAddress" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Address", &address)
        try visitor.field("Port", &port)
    }
}

/// Weights on the wire; a field that is missing counts as zero, unlike in `Weights()`.
package struct WireWeights: WireRecord, Hashable {
    package var weights: Weights

    package init() {
        weights = Weights(passing: 0, warning: 0)
    }

    package init(_ weights: Weights) {
        self.weights = weights
    }

    package static var goType: String { "structs.Weights" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Passing", &weights.passing)
        try visitor.field("Warning", &weights.warning)
    }
}

extension FieldVisitor {
    mutating func weights(
        _ name: StaticString,
        _ value: inout Weights?
    ) throws(WireError) {
        var wrapped = value.map { WireWeights($0) }
        try field(name, &wrapped)
        if Self.isReading { value = wrapped?.weights }
    }
}

extension ServiceConnect: WireRecord {
    package static var goType: String { "structs.ServiceConnect" }
    package static var decodesItself: Bool { true }
    package var isZero: Bool { self == ServiceConnect() }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        var sidecar = sidecarService?.value
        try visitor.field("Native", &native, .omitEmpty)
        try visitor.field("SidecarService", &sidecar, .omitEmpty)
        try visitor.alias("sidecar_service", &sidecar)
        var ignored = JSONValue.null  // Obsolete: managed proxies.
        try visitor.alias("Proxy", &ignored)
        if Visitor.isReading { sidecarService = sidecar.map { Box($0) } }
    }
}

/// A type whose wire form is a string.
package protocol WireText: WireValue, RawRepresentable where RawValue == String {
    init(rawValue: String)
}

extension WireText {
    package var isZero: Bool { rawValue.isEmpty }

    package func writeJSON(_ writer: inout JSONWriter) {
        writer.string(rawValue)
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        var text = rawValue
        switch try reader.peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "n"): try text.readJSON(&reader)
        default: throw reader.mismatch(Self.goType)
        }
        self = Self(rawValue: text)
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        writer.string(rawValue)
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        self = Self(rawValue: try reader.string())
    }
}
