import Model
import NIOHTTP1
import Replica
import StateStore
import Wire

extension RouteTable {
    /// `/v1/txn`.
    ///
    /// - Source: Consul: api-docs/txn.
    mutating func addTransactionRoutes() {
        add(
            .PUT,
            "/v1/txn",
            Requirement(.key, .write),
            bodyLimit: .transaction,
            Transactions.put
        )
    }
}

/// Transactions over keys, nodes, services and checks.
///
/// - Source: Consul: PUT /v1/txn
enum Transactions {
    @Sendable static func put(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let settings = context.services.settings
        let body = try request.decodeBody(TransactionBody.self, failure: "Failed to parse body")
        let steps = body.steps
        let most = settings.limits.transactionOperations
        guard steps.count <= most else {
            throw HTTPError(
                .tooLarge,
                "Transaction contains too many operations (\(steps.count) > \(most))"
            )
        }
        for step in steps {
            guard let entry = step.keyValue?.entry,
                entry.value.count > settings.limits.keyValueBytes
            else { continue }
            let size = "\(entry.value.count) > \(settings.limits.keyValueBytes) bytes"
            throw HTTPError(
                .tooLarge,
                "Value for key \(GoQuote.quote(entry.key)) is too large (\(size))"
            )
        }
        try request.requireDatacenter(settings)
        let isWrite = steps.contains { writes($0) }
        var operations: [TransactionOperation] = []
        var errors: [TransactionError] = []
        for (position, step) in steps.enumerated() {
            var step = step
            step.node?.node.datacenter = settings.datacenter
            if let flaw = flaw(&step) {
                errors.append(TransactionError(operationIndex: position, message: flaw))
                continue
            }
            switch step.meaning {
            case .operation(let operation): operations.append(operation)
            case .unknownVerb(let text):
                errors.append(TransactionError(operationIndex: position, message: text))
            case .nothing: continue
            }
        }
        guard errors.isEmpty else {
            let result = TransactionResult(results: [], errors: errors)
            guard !isWrite else { return .reply(writeReply(result)) }
            return .reply(readReply(result, context.loop.reader.barrier.staleStanding))
        }
        guard isWrite else { return try read(operations, request, context) }
        return Proposals.propose(.transaction(operations), context) { result in
            guard case .transaction(let result) = result else { return .empty(.internalError) }
            return writeReply(result)
        }
    }

    /// A verb that nobody knows counts as a read for keys and as a write for the rest, as in
    /// Consul.
    private static func writes(_ step: TransactionBodyStep) -> Bool {
        guard let keyValue = step.keyValue else {
            let isEmpty = step.node == nil && step.service == nil && step.check == nil
            return !isEmpty && step.isWrite
        }
        return step.isWrite && KeyValueOperation(rawValue: keyValue.verb) != nil
    }

    /// Completes a step; gives why it is refused before anything is applied, or nil.
    private static func flaw(_ step: inout TransactionBodyStep) -> String? {
        if let keyValue = step.keyValue {
            let needsKey = keyValue.verb != KeyValueOperation.deleteTree.rawValue
            return needsKey && keyValue.entry.key.isEmpty ? "Must provide key" : nil
        }
        if let node = step.node, node.verb != CatalogOperation.get.rawValue {
            return RegistrationRules.flaw(ofNode: node.node.name, id: node.node.id)
        }
        if var service = step.service, service.verb != CatalogOperation.get.rawValue {
            let flaw = RegistrationRules.complete(&service.service)
            step.service = service
            return flaw
        }
        if var check = step.check, check.verb != CatalogOperation.get.rawValue {
            RegistrationRules.complete(&check.check, node: "")
            step.check = check
        }
        return nil
    }

    /// Applies reads to a snapshot's copy, which is thrown away.
    private static func read(
        _ operations: [TransactionOperation],
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let options = try QueryOptions(request, context)
        let replica = context.services.replica
        return try context.admitted(options) { standing in
            result(of: operations, replica.current.store, standing)
        }
    }

    private static func result(
        of operations: [TransactionOperation],
        _ store: StateStore,
        _ standing: ReadStanding
    ) -> Reply {
        var copy = store
        var changes = ChangeSet()
        let result = copy.apply(
            .transaction(operations),
            at: copy.lastApplied,
            stamped: Timestamp(nanosecondsSinceEpoch: 0),
            into: &changes
        )
        guard case .transaction(let result) = result else { return .empty(.internalError) }
        return readReply(result, standing)
    }

    private static func readReply(
        _ result: TransactionResult,
        _ standing: ReadStanding
    ) -> Reply {
        var writer = JSONWriter()
        writer.beginObject()
        write(result, to: &writer)
        writer.key("Index")
        writer.integer(0)
        writer.key("LastContact")
        writer.integer(Int(standing.lastContact.rawValue))
        writer.key("KnownLeader")
        writer.bool(standing.knowsLeader)
        writer.key("ConsistencyLevel")
        writer.string("")
        writer.endObject()
        var reply = Reply.json(writer.bytes)
        reply.status = result.errors.isEmpty ? .ok : .conflict
        reply.headers = [
            ("X-Consul-Knownleader", standing.knowsLeader ? "true" : "false"),
            (ReplyRenderer.contactField, String(standing.lastContactMilliseconds)),
        ]
        return reply
    }

    private static func writeReply(_ result: TransactionResult) -> Reply {
        var writer = JSONWriter()
        writer.beginObject()
        write(result, to: &writer)
        writer.endObject()
        var reply = Reply.json(writer.bytes)
        reply.status = result.errors.isEmpty ? .ok : .conflict
        return reply
    }

    private static func write(_ result: TransactionResult, to writer: inout JSONWriter) {
        writer.key("Results")
        if result.errors.isEmpty {
            writer.beginArray()
            for item in result.results { write(item, to: &writer) }
            writer.endArray()
        } else {
            writer.null()
        }
        writer.key("Errors")
        guard !result.errors.isEmpty else { return writer.null() }
        writer.beginArray()
        for error in result.errors {
            writer.beginObject()
            writer.key("OpIndex")
            writer.integer(error.operationIndex)
            writer.key("What")
            writer.string(error.message)
            writer.endObject()
        }
        writer.endArray()
    }

    private static func write(_ item: TransactionItem, to writer: inout JSONWriter) {
        writer.beginObject()
        switch item {
        case .keyValue(let entry):
            writer.key("KV")
            writer.value(entry)
        case .node(let node):
            writer.key("Node")
            writer.value(node)
        case .service(let service):
            writer.key("Service")
            CatalogJSON.plainService(service, into: &writer)
        case .check(let check):
            writer.key("Check")
            writer.value(check)
        }
        writer.endObject()
    }
}
