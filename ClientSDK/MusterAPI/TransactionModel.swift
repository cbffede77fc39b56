/// A step of a transaction; exactly one of its members is filled in.
public struct TransactionOperation: Codable, Hashable, Sendable {
    /// A step on a key.
    public var keyValue: KeyValueOperation?

    /// A step on a node.
    public var node: NodeOperation?

    /// A step on a service instance.
    public var service: ServiceOperation?

    /// A step on a check.
    public var check: CheckOperation?

    private enum CodingKeys: String, CodingKey {
        case keyValue = "KV"
        case node = "Node"
        case service = "Service"
        case check = "Check"
    }

    /// Makes the value; what is left out is empty.
    public init(
        keyValue: KeyValueOperation? = nil,
        node: NodeOperation? = nil,
        service: ServiceOperation? = nil,
        check: CheckOperation? = nil
    ) {
        self.keyValue = keyValue
        self.node = node
        self.service = service
        self.check = check
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        keyValue = try members.optional(.keyValue)
        node = try members.optional(.node)
        service = try members.optional(.service)
        check = try members.optional(.check)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encodeIfPresent(keyValue, forKey: .keyValue)
        try members.encodeIfPresent(node, forKey: .node)
        try members.encodeIfPresent(service, forKey: .service)
        try members.encodeIfPresent(check, forKey: .check)
    }
}

/// What a step of a transaction gave.
public struct TransactionResult: Codable, Hashable, Sendable {
    /// The key.
    public var keyValue: KeyValuePair?

    /// The node.
    public var node: CatalogNode?

    /// The service instance.
    public var service: AgentService?

    /// The check.
    public var check: HealthCheck?

    private enum CodingKeys: String, CodingKey {
        case keyValue = "KV"
        case node = "Node"
        case service = "Service"
        case check = "Check"
    }

    /// Makes the value; what is left out is empty.
    public init(
        keyValue: KeyValuePair? = nil,
        node: CatalogNode? = nil,
        service: AgentService? = nil,
        check: HealthCheck? = nil
    ) {
        self.keyValue = keyValue
        self.node = node
        self.service = service
        self.check = check
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        keyValue = try members.optional(.keyValue)
        node = try members.optional(.node)
        service = try members.optional(.service)
        check = try members.optional(.check)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encodeIfPresent(keyValue, forKey: .keyValue)
        try members.encodeIfPresent(node, forKey: .node)
        try members.encodeIfPresent(service, forKey: .service)
        try members.encodeIfPresent(check, forKey: .check)
    }
}

/// Why a step made the transaction roll back.
public struct TransactionFailure: Codable, Hashable, Sendable {
    /// The step's position.
    public var operation: Int

    /// What is wrong.
    public var message: String

    private enum CodingKeys: String, CodingKey {
        case operation = "OpIndex"
        case message = "What"
    }

    /// Makes the value; what is left out is empty.
    public init(
        operation: Int = 0,
        message: String = ""
    ) {
        self.operation = operation
        self.message = message
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        operation = try members.value(.operation, or: 0)
        message = try members.value(.message, or: "")
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(operation, forKey: .operation)
        try members.encode(message, forKey: .message)
    }
}

/// How a transaction ended: all of it happened, or nothing.
///
/// - Source: Consul: PUT /v1/txn
public struct TransactionOutcome: Codable, Hashable, Sendable {
    /// What the steps gave.
    public var results: [TransactionResult]

    /// Why it was rolled back; empty when it was not.
    public var failures: [TransactionFailure]

    private enum CodingKeys: String, CodingKey {
        case results = "Results"
        case failures = "Errors"
    }

    /// Makes the value; what is left out is empty.
    public init(
        results: [TransactionResult] = [],
        failures: [TransactionFailure] = []
    ) {
        self.results = results
        self.failures = failures
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        results = try members.value(.results, or: [])
        failures = try members.value(.failures, or: [])
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(results, forKey: .results)
        try members.encode(failures, forKey: .failures)
    }
}

extension TransactionOutcome {
    /// Whether the transaction happened.
    public var committed: Bool { failures.isEmpty }
}
