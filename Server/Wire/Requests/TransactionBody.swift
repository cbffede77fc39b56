package import Model

/// One operation of the body of `PUT /v1/txn`, which is an array of these.
///
/// - Source: Consul: PUT /v1/txn.
package struct TransactionBodyStep: WireRecord, Hashable {
    package var keyValue: TransactionKeyValue?
    package var node: TransactionNode?
    package var service: TransactionService?
    package var check: TransactionCheck?

    package init() {}

    package static var goType: String { "api.TxnOp" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("KV", &keyValue)
        try visitor.field("Node", &node)
        try visitor.field("Service", &service)
        try visitor.field("Check", &check)
    }

    /// What a step asks for.
    package enum Meaning: Hashable, Sendable {
        case operation(TransactionOperation)
        /// The text for the `Errors` of the reply.
        case unknownVerb(String)
        /// None of the four; Consul passes it over.
        case nothing
    }

    /// What the step asks for; of several operations the first in the order of the fields counts.
    package var meaning: Meaning {
        if let keyValue {
            guard let verb = KeyValueOperation(rawValue: keyValue.verb) else {
                return unknown("KV", keyValue.verb)
            }
            return .operation(.keyValue(verb, keyValue.entry))
        }
        if let node {
            guard let verb = CatalogOperation(rawValue: node.verb) else {
                return unknown("Node", node.verb)
            }
            return .operation(.node(verb, node.node))
        }
        if let service {
            guard let verb = CatalogOperation(rawValue: service.verb) else {
                return unknown("Service", service.verb)
            }
            return .operation(.service(verb, node: service.node, service.record))
        }
        if let check {
            guard let verb = CatalogOperation(rawValue: check.verb) else {
                return unknown("Check", check.verb)
            }
            return .operation(.check(verb, check.check))
        }
        return .nothing
    }

    private func unknown(_ kind: String, _ verb: String) -> Meaning {
        .unknownVerb("unknown \(kind) verb \(GoQuote.quote(verb))")
    }

    /// Whether the step changes anything; without such steps a transaction is a read.
    package var isWrite: Bool {
        if let keyValue {
            return ["set", "delete", "delete-cas", "delete-tree", "cas", "lock", "unlock"]
                .contains(keyValue.verb)
        }
        return (node?.verb ?? service?.verb ?? check?.verb ?? "get") != "get"
    }
}

/// The body of `PUT /v1/txn`.
package struct TransactionBody: WireValue, Hashable {
    package var steps: [TransactionBodyStep] = []

    package init() {}

    package static var goType: String { "api.TxnOps" }
    package var isZero: Bool { steps.isEmpty }

    package func writeJSON(_ writer: inout JSONWriter) {
        steps.writeJSON(&writer)
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        guard try reader.peek() == UInt8(ascii: "[") else {
            if try !reader.readNull() { throw reader.mismatch(Self.goType) }
            return
        }
        try steps.readJSON(&reader)
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        steps.writePack(&writer)
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        try steps.readPack(&reader)
    }
}

/// An operation on a key.
package struct TransactionKeyValue: WireRecord, Hashable {
    package var verb = ""
    /// `entry.indexes.modify` is the index of a cas, `entry.session` the session of a lock.
    package var entry = KeyValueEntry()

    package init() {}

    package static var goType: String { "api.KVTxnOp" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        var namespace = ""
        try visitor.field("Verb", &verb, goType: "api.KVOp")
        try visitor.field("Key", &entry.key)
        try visitor.bytes("Value", &entry.value)
        try visitor.field("Flags", &entry.flags)
        try visitor.field("Index", &entry.indexes.modify.rawValue)
        try visitor.field("Session", &entry.session)
        try visitor.field("Namespace", &namespace, .omitEmpty)
    }
}

/// An operation on a node.
package struct TransactionNode: WireRecord, Hashable {
    package var verb = ""
    package var node = Node()

    package init() {}

    package static var goType: String { "api.NodeTxnOp" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Verb", &verb, goType: "api.NodeOp")
        try visitor.field("Node", &node)
    }
}

/// An operation on a service of a node.
package struct TransactionService: WireRecord, Hashable {
    package var verb = ""
    package var node = ""
    package var service = CatalogService()

    package init() {}

    package static var goType: String { "api.ServiceTxnOp" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        try visitor.field("Verb", &verb, goType: "api.ServiceOp")
        try visitor.field("Node", &node)
        try visitor.field("Service", &service)
    }

    /// The service with what transactions take over; kind, proxy and Connect are dropped as in
    /// Consul.
    package var record: CatalogService {
        var record = service
        record.kind = .typical
        record.taggedAddresses = nil
        record.proxy = ProxyConfiguration()
        record.connect = ServiceConnect()
        record.indexes.create = .zero
        return record
    }
}

/// An operation on a check.
package struct TransactionCheck: WireRecord, Hashable {
    package var verb = ""
    package var check = HealthCheck()

    package init() {}

    package static var goType: String { "api.CheckTxnOp" }

    package mutating func visit<Visitor: FieldVisitor>(
        _ visitor: inout Visitor
    ) throws(WireError) {
        var body = TransactionHealthCheck(check: check)
        try visitor.field("Verb", &verb, goType: "api.CheckOp")
        try visitor.field("Check", &body)
        if Visitor.isReading { check = body.check }
    }
}

/// A check with the definition's fields under the names of the transaction endpoint.
private struct TransactionHealthCheck: WireRecord {
    var check = HealthCheck()

    init() {}

    init(check: HealthCheck) {
        self.check = check
    }

    static var goType: String { "api.HealthCheck" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        var definition = TransactionDefinition(definition: check.definition)
        var namespace = ""
        try visitor.field("Node", &check.node)
        try visitor.field("CheckID", &check.id)
        try visitor.field("Name", &check.name)
        try visitor.field("Status", &check.status)
        try visitor.field("Notes", &check.notes)
        try visitor.field("Output", &check.output)
        try visitor.field("ServiceID", &check.serviceID)
        try visitor.field("ServiceName", &check.serviceName)
        try visitor.field("ServiceTags", &check.serviceTags)
        try visitor.field("Type", &check.type)
        try visitor.field("Namespace", &namespace, .omitEmpty)
        try visitor.field("Definition", &definition)
        try visitor.indexes(&check.indexes)
        if Visitor.isReading { check.definition = definition.definition }
    }
}

/// The part of a check's definition that transactions take.
private struct TransactionDefinition: WireRecord {
    var definition = HealthCheckDefinition()

    init() {}

    init(definition: HealthCheckDefinition) {
        self.definition = definition
    }

    static var goType: String { "api.HealthCheckDefinition" }
    static var decodesItself: Bool { true }
    static var unknownKeys: UnknownKeys { .ignored }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("HTTP", &definition.http)
        try visitor.field("Header", &definition.header)
        try visitor.field("Method", &definition.method)
        try visitor.field("Body", &definition.body)
        try visitor.field("TLSSkipVerify", &definition.tlsSkipVerify)
        try visitor.field("TCP", &definition.tcp)
        try visitor.durationText("Interval", &definition.interval)
        try visitor.durationText("Timeout", &definition.timeout)
        try visitor.durationText(
            "DeregisterCriticalServiceAfter",
            &definition.deregisterCriticalServiceAfter
        )
        try visitor.alias("IntervalDuration", &definition.interval)
        try visitor.alias("TimeoutDuration", &definition.timeout)
        try visitor.alias(
            "DeregisterCriticalServiceAfterDuration",
            &definition.deregisterCriticalServiceAfter
        )
    }
}
