/// What applying a command gave; the proposer gets it, replicas ignore it.
package enum CommandResult: Hashable, Sendable {
    /// Done; nothing to tell.
    case done
    /// Whether a conditional write (cas, lock, unlock, delete-cas) took place.
    case condition(Bool)
    /// The id of the session that was created.
    case sessionID(String)
    case transaction(TransactionResult)
    /// Refused by the state; nothing was changed.
    case refused(Refusal)
}

/// Why the state refused a command; each case's text is Consul's.
package enum Refusal: Hashable, Sendable {
    /// The message as clients see it, without a prefix.
    case invalid(String)
}

/// The outcome of a transaction: all results, or all errors and nothing changed.
package struct TransactionResult: Hashable, Sendable {
    package var results: [TransactionItem]
    package var errors: [TransactionError]

    package init(results: [TransactionItem] = [], errors: [TransactionError] = []) {
        self.results = results
        self.errors = errors
    }
}

/// One record that a transaction read or wrote.
package enum TransactionItem: Hashable, Sendable {
    case keyValue(KeyValueEntry)
    case node(Node)
    /// The node's name is not part of the reply.
    case service(CatalogService)
    case check(HealthCheck)
}

/// Why step `operationIndex` (from 0) failed.
package struct TransactionError: Hashable, Sendable {
    package var operationIndex: Int
    package var message: String

    package init(operationIndex: Int, message: String) {
        self.operationIndex = operationIndex
        self.message = message
    }
}
