import MusterAPI
import Wire

/// What a watch looks at: a query, and the form in which its answer is shown.
///
/// - Source: Consul: docs "Watches", types and their parameters.
struct WatchView: Sendable {
    let type: String
    private(set) var path = ""
    private(set) var query: [(name: String, value: String?)] = []

    init(_ command: WatchCommand) throws {
        type = command.type
        switch type {
        case "key":
            guard !command.key.isEmpty else {
                throw CommandFailure("Must specify a single key to watch")
            }
            path = "/v1/kv/" + RegistryRequest.encode(command.key)
        case "keyprefix":
            guard !command.prefix.isEmpty else {
                throw CommandFailure("Must specify a single prefix to watch")
            }
            path = "/v1/kv/" + RegistryRequest.encode(command.prefix)
            query = [("recurse", nil)]
        case "services": path = "/v1/catalog/services"
        case "nodes": path = "/v1/catalog/nodes"
        case "service": try watchService(command)
        case "checks": try watchChecks(command)
        case "event":
            path = "/v1/event/list"
            if !command.name.isEmpty { query = [("name", command.name)] }
        case "connect_roots", "connect_leaf", "agent_service":
            throw CommandFailure("Type \(type) is not supported in the CLI tool")
        default: throw CommandFailure("Unsupported watch type: \(type)")
        }
    }

    private mutating func watchService(_ command: WatchCommand) throws {
        guard !command.service.isEmpty else {
            throw CommandFailure("Must specify a single service to watch")
        }
        path = "/v1/health/service/" + RegistryRequest.encode(command.service)
        query = command.tag.map { ("tag", $0) }
        switch command.passingonly {
        case "", "0", "f", "F", "false", "FALSE", "False": break
        case "1", "t", "T", "true", "TRUE", "True": query.append(("passing", "1"))
        case let other:
            let quoted = GoQuote.quote(other)
            throw CommandFailure(
                "Failed to parse passingonly flag: "
                    + "strconv.ParseBool: parsing \(quoted): invalid syntax"
            )
        }
    }

    private mutating func watchChecks(_ command: WatchCommand) throws {
        guard command.service.isEmpty || command.state.isEmpty else {
            throw CommandFailure("Cannot specify service and state")
        }
        let state = command.state.isEmpty ? "any" : command.state
        path =
            command.service.isEmpty
            ? "/v1/health/state/" + RegistryRequest.encode(state)
            : "/v1/health/checks/" + RegistryRequest.encode(command.service)
    }

    /// The answer as Consul's client types print it.
    func json(of reply: RegistryReply) throws(WireError) -> [UInt8] {
        if reply.status == 404 { return Array("null".utf8) }
        switch type {
        case "key":
            return JSON.encode(try JSON.decode([WatchedKey].self, from: reply.body).first)
        case "keyprefix": return try reencoded([WatchedKey].self, reply)
        case "service": return try reencoded([WatchedEntry].self, reply)
        case "checks": return try reencoded([WatchedCheck].self, reply)
        case "event": return try reencoded([WatchedEvent].self, reply)
        case "nodes": return try reencoded([WatchedNode].self, reply)
        default: return try reencoded([String: [String]].self, reply)
        }
    }

    private func reencoded<Value: WireValue>(
        _ type: Value.Type,
        _ reply: RegistryReply
    ) throws(WireError) -> [UInt8] {
        JSON.encode(try JSON.decode(type, from: reply.body))
    }
}
