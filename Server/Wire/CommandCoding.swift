package import Model

/// Commands as the data of log entries.
///
/// ```
/// | type (1 byte; bit 7: may be ignored when unknown) | MessagePack map or array |
/// ```
/// - Source: Raft sheet §7.
package enum CommandCoding {
    /// The message types of Consul's state machine that have a `Command`.
    private enum MessageType {
        static let register: UInt8 = 0
        static let deregister: UInt8 = 1
        static let keyValue: UInt8 = 2
        static let session: UInt8 = 3
        static let tombstone: UInt8 = 5
        static let coordinates: UInt8 = 6
        static let transaction: UInt8 = 8
        static let autopilot: UInt8 = 9
        /// A server that does not know the type passes the entry over.
        static let ignorable: UInt8 = 0x80
    }

    /// Appends the entry's data.
    ///
    /// A register command's node belongs to the command's datacenter: the node's own field is not
    /// carried. `canonical` writes every field, in the order of Consul's servers; our own log
    /// leaves out the zeros, and every reader takes both.
    package static func encode(
        _ command: Command,
        canonical: Bool = false,
        into output: inout [UInt8]
    ) {
        switch command {
        case .register(let register):
            append(MessageType.register, RegisterRequest(register), canonical, to: &output)
        case .deregister(let deregister):
            append(MessageType.deregister, DeregisterRequest(deregister), canonical, to: &output)
        case .keyValue(let write):
            guard canonical else {
                output.append(MessageType.keyValue)
                return KeyValueRequest.encode(write, into: &output)
            }
            var request = KeyValueRequest()
            request.operation = write.operation.rawValue
            request.entry = write.entry
            append(MessageType.keyValue, request, canonical, to: &output)
        case .session(let session):
            append(MessageType.session, request(session), canonical, to: &output)
        case .reapTombstones(let index):
            var request = TombstoneRequest()
            request.reapIndex = index.rawValue
            append(MessageType.tombstone, request, canonical, to: &output)
        case .updateCoordinates(let coordinates):
            append(
                MessageType.coordinates | MessageType.ignorable,
                coordinates,
                canonical,
                to: &output
            )
        case .transaction(let operations):
            var request = TransactionRequest()
            request.operations = operations.map { TransactionStep($0) }
            append(MessageType.transaction, request, canonical, to: &output)
        case .autopilot(let autopilot):
            var request = AutopilotRequest()
            request.configuration = autopilot.configuration
            if let index = autopilot.casIndex {
                request.isConditional = true
                request.configuration.indexes.modify = index
            }
            append(MessageType.autopilot, request, canonical, to: &output)
        }
    }

    private static func append(
        _ type: UInt8,
        _ record: consuming some WireValue,
        _ canonical: Bool,
        to output: inout [UInt8]
    ) {
        output.append(type)
        MessagePack.encode(record, canonical: canonical, into: &output)
    }

    private static func request(_ command: SessionCommand) -> SessionRequest {
        var request = SessionRequest()
        switch command {
        case .create(let session):
            request.operation = "create"
            request.session = session
        case .destroy(let id):
            request.operation = "destroy"
            request.session.id = id
        }
        return request
    }

    /// The command of an entry's data; nil for an unknown type that may be ignored.
    ///
    /// `bytes` is the whole data of one entry. An unknown type that must not be ignored is an
    /// error.
    package static func decode(_ bytes: [UInt8]) throws(WireError) -> Command? {
        try decode(bytes[...])
    }

    /// The same of bytes that are part of an array.
    package static func decode(_ bytes: ArraySlice<UInt8>) throws(WireError) -> Command? {
        guard let first = bytes.first else {
            throw WireError(.syntax, "empty log entry")
        }
        let body = bytes.dropFirst()
        switch first & ~MessageType.ignorable {
        case MessageType.register:
            var request = try MessagePack.decode(RegisterRequest.self, from: body)
            return .register(request.takeCommand())
        case MessageType.deregister:
            return .deregister(try MessagePack.decode(DeregisterRequest.self, from: body).command)
        case MessageType.keyValue: return .keyValue(try keyValue(body))
        case MessageType.session: return .session(try session(body))
        case MessageType.tombstone:
            let request = try MessagePack.decode(TombstoneRequest.self, from: body)
            guard request.operation == "reap" else {
                throw WireError(.value, "Invalid Tombstone operation '\(request.operation)'")
            }
            return .reapTombstones(upTo: LogIndex(rawValue: request.reapIndex))
        case MessageType.coordinates:
            return .updateCoordinates(try MessagePack.decode([NodeCoordinate].self, from: body))
        case MessageType.transaction: return .transaction(try transaction(body))
        case MessageType.autopilot:
            let request = try MessagePack.decode(AutopilotRequest.self, from: body)
            let index = request.isConditional ? request.configuration.indexes.modify : nil
            return .autopilot(
                AutopilotCommand(configuration: request.configuration, casIndex: index)
            )
        default:
            if first & MessageType.ignorable != 0 { return nil }
            throw WireError(.value, "failed to apply request: unknown message type \(first)")
        }
    }

    private static func keyValue(
        _ body: ArraySlice<UInt8>
    ) throws(WireError) -> KeyValueCommand {
        let request = try MessagePack.decode(KeyValueRequest.self, from: body)
        guard let operation = KeyValueOperation(rawValue: request.operation) else {
            throw WireError(.value, "Invalid KVS operation '\(request.operation)'")
        }
        return KeyValueCommand(operation: operation, entry: request.entry)
    }

    private static func session(_ body: ArraySlice<UInt8>) throws(WireError) -> SessionCommand {
        let request = try MessagePack.decode(SessionRequest.self, from: body)
        switch request.operation {
        case "create": return .create(request.session)
        case "destroy": return .destroy(id: request.session.id)
        default:
            throw WireError(.value, "Invalid Session operation '\(request.operation)'")
        }
    }

    private static func transaction(
        _ body: ArraySlice<UInt8>
    ) throws(WireError) -> [TransactionOperation] {
        let request = try MessagePack.decode(TransactionRequest.self, from: body)
        var operations: [TransactionOperation] = []
        for step in request.operations ?? [] {
            guard let operation = step.operation else {
                throw WireError(.value, "unknown operation in a transaction")
            }
            operations.append(operation)
        }
        return operations
    }
}
