import Model

/// Command 2 of the log.
struct KeyValueRequest: WireRecord {
    var datacenter = ""
    var operation = ""
    var entry = KeyValueEntry()
    var token = ""

    static var goType: String { "structs.KVSRequest" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Datacenter", &datacenter)
        try visitor.field("Op", &operation)
        try visitor.field("DirEnt", &entry)
        try visitor.field("Token", &token)
    }
}

extension KeyValueRequest {
    /// Appends the request of a command as our own log has it, written field by field: the same as
    /// a visitor makes of a copy.
    static func encode(_ command: KeyValueCommand, into output: inout [UInt8]) {
        let entry = command.entry
        var writer = MessagePackWriter(canonical: false, continuing: &output)
        writer.beginMap(count: 2)
        writer.name("Op")
        writer.string(command.operation.rawValue)
        writer.name("DirEnt")
        let (create, modify) = (entry.indexes.create.rawValue, entry.indexes.modify.rawValue)
        var count = 1
        if entry.lockIndex != 0 { count += 1 }
        if entry.flags != 0 { count += 1 }
        if !entry.value.isEmpty { count += 1 }
        if !entry.session.isEmpty { count += 1 }
        if create != 0 { count += 1 }
        if modify != 0 { count += 1 }
        writer.beginMap(count: count)
        writer.number("LockIndex", entry.lockIndex)
        writer.name("Key")
        writer.string(entry.key)
        writer.number("Flags", entry.flags)
        if !entry.value.isEmpty {
            writer.name("Value")
            writer.raw(entry.value)
        }
        if !entry.session.isEmpty {
            writer.name("Session")
            writer.string(entry.session)
        }
        writer.number("CreateIndex", create)
        writer.number("ModifyIndex", modify)
        output = writer.take()
    }
}

extension MessagePackWriter {
    /// A field unless it is zero.
    fileprivate mutating func number(_ name: StaticString, _ value: UInt64) {
        guard value != 0 else { return }
        self.name(name)
        unsigned(value)
    }
}

/// Command 3 of the log.
struct SessionRequest: WireRecord {
    var datacenter = ""
    var operation = ""
    var session = Session()
    var token = ""

    static var goType: String { "structs.SessionRequest" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Datacenter", &datacenter)
        try visitor.field("Op", &operation)
        try visitor.field("Session", &session)
        try visitor.field("Token", &token)
    }
}

/// Command 5 of the log.
struct TombstoneRequest: WireRecord {
    var datacenter = ""
    var operation = "reap"
    var reapIndex: UInt64 = 0
    var token = ""

    static var goType: String { "structs.TombstoneRequest" }
    static var startsAtZero: Bool { false }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Datacenter", &datacenter)
        try visitor.field("Op", &operation)
        try visitor.field("ReapIndex", &reapIndex)
        try visitor.field("Token", &token)
    }
}

/// Command 8 of the log.
struct TransactionRequest: WireRecord {
    var datacenter = ""
    var operations: [TransactionStep]? = nil
    var token = ""

    static var goType: String { "structs.TxnRequest" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Datacenter", &datacenter)
        try visitor.field("Ops", &operations)
        try visitor.field("Token", &token)
    }
}

/// One step of a transaction: exactly one of its fields is set.
struct TransactionStep: WireRecord {
    var keyValue: KeyValueStep?
    var node: NodeStep?
    var service: ServiceStep?
    var check: CheckStep?

    static var goType: String { "structs.TxnOp" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        var intention: JSONValue?
        try visitor.field("KV", &keyValue)
        try visitor.field("Node", &node)
        try visitor.field("Service", &service)
        try visitor.field("Check", &check)
        try visitor.field("Intention", &intention)
    }

    init() {}

    init(_ operation: TransactionOperation) {
        switch operation {
        case .keyValue(let verb, let entry):
            keyValue = KeyValueStep(verb: verb.rawValue, entry: entry)
        case .node(let verb, let record):
            node = NodeStep(verb: verb.rawValue, node: record)
        case .service(let verb, let name, let record):
            service = ServiceStep(verb: verb.rawValue, node: name, service: record)
        case .check(let verb, let record):
            check = CheckStep(verb: verb.rawValue, check: record)
        }
    }

    /// The operation, or nil when nothing is set or the verb is unknown.
    var operation: TransactionOperation? {
        if let keyValue {
            return KeyValueOperation(rawValue: keyValue.verb).map { .keyValue($0, keyValue.entry) }
        }
        if let node {
            return CatalogOperation(rawValue: node.verb).map { .node($0, node.node) }
        }
        if let service {
            return CatalogOperation(rawValue: service.verb).map {
                .service($0, node: service.node, service.service)
            }
        }
        if let check {
            return CatalogOperation(rawValue: check.verb).map { .check($0, check.check) }
        }
        return nil
    }
}

struct KeyValueStep: WireRecord {
    var verb = ""
    var entry = KeyValueEntry()

    static var goType: String { "structs.TxnKVOp" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Verb", &verb)
        try visitor.field("DirEnt", &entry)
    }
}

struct NodeStep: WireRecord {
    var verb = ""
    var node = Node()

    static var goType: String { "structs.TxnNodeOp" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Verb", &verb)
        try visitor.field("Node", &node)
    }
}

struct ServiceStep: WireRecord {
    var verb = ""
    var node = ""
    var service = CatalogService()

    static var goType: String { "structs.TxnServiceOp" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Verb", &verb)
        try visitor.field("Node", &node)
        try visitor.field("Service", &service)
    }
}

struct CheckStep: WireRecord {
    var verb = ""
    var check = HealthCheck()

    static var goType: String { "structs.TxnCheckOp" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Verb", &verb)
        try visitor.field("Check", &check)
    }
}

/// Command 9 of the log.
struct AutopilotRequest: WireRecord {
    var datacenter = ""
    var configuration = AutopilotConfiguration()
    var isConditional = false
    var token = ""

    static var goType: String { "structs.AutopilotSetConfigRequest" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Datacenter", &datacenter)
        try visitor.field("Config", &configuration)
        try visitor.field("CAS", &isConditional)
        try visitor.field("Token", &token)
    }
}
