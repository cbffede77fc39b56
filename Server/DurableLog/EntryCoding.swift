import Model
package import Raft
package import WriteAheadLog

/// The core's entries as the write-ahead log keeps them.
///
/// The type of a log entry says what its payload is:
///
///     type  payload
///        0  nothing: the entry of a new leader
///        1  a command, the state machine's bytes as they are
///        2  the members from here on
///
/// Members, numbers little-endian:
///
///     | format 1, 1 byte | count 2 | member … | outgoing count 2 | member … |
///     member: | id 16 | role 1: 0 learner, 1 voter | length 2 | address in UTF-8 |
///
/// A command carries the leader's time itself; the log's own field is not used.
package enum EntryCoding {
    private enum EntryType {
        static let noop: UInt8 = 0
        static let command: UInt8 = 1
        static let configuration: UInt8 = 2
    }

    private static let format: UInt8 = 1
    /// Most members of one half that are believed.
    ///
    /// More than the core ever admits: its limits are settings, what is on disk must stay readable.
    private static let greatestCount = 4096

    /// The entry for the log.
    package static func encode(_ entry: Entry) -> LogEntry {
        var type = EntryType.noop
        var payload: [UInt8] = []
        switch entry.body {
        case .noop: break
        case .command(let bytes):
            type = EntryType.command
            payload = bytes
        case .configuration(let configuration):
            type = EntryType.configuration
            payload = encode(configuration)
        }
        return LogEntry(index: entry.index, term: entry.term, type: type, payload: payload)
    }

    /// The entry that the log kept.
    package static func decode(_ entry: LogEntry) throws(DurableLogError) -> Entry {
        let body: Entry.Body
        switch entry.type {
        case EntryType.noop where entry.payload.isEmpty: body = .noop
        case EntryType.command: body = .command(entry.payload)
        case EntryType.configuration:
            guard let configuration = configuration(from: entry.payload) else {
                throw .unreadableEntry(entry.index, type: entry.type)
            }
            body = .configuration(configuration)
        default:
            throw .unreadableEntry(entry.index, type: entry.type)
        }
        return Entry(index: entry.index, term: entry.term, body: body)
    }

    /// Members as bytes.
    ///
    /// - Precondition: No address is longer than 65535 bytes.
    package static func encode(_ configuration: ClusterConfiguration) -> [UInt8] {
        var bytes = [format]
        append(configuration.members, to: &bytes)
        append(configuration.outgoing, to: &bytes)
        return bytes
    }

    /// The members that `encode` wrote; nil for anything that it does not write.
    package static func configuration(from bytes: [UInt8]) -> ClusterConfiguration? {
        var reader = ByteReader(bytes)
        guard reader.number(UInt8.self) == format,
            let members = Self.members(&reader), let outgoing = Self.members(&reader),
            reader.isAtEnd
        else { return nil }
        let configuration = ClusterConfiguration(members: members, outgoing: outgoing)
        // Sorted, and each id once.
        guard configuration.members == members, configuration.outgoing == outgoing else {
            return nil
        }
        return configuration
    }

    private static func append(_ members: [ClusterMember], to bytes: inout [UInt8]) {
        precondition(members.count <= greatestCount, "\(members.count) members")
        bytes.append(number: UInt16(members.count))
        for member in members {
            let address = Array(member.address.utf8)
            precondition(address.count <= Int(UInt16.max), "an address of \(address.count) bytes")
            bytes.append(number: member.id.rawValue)
            bytes.append(member.role == .voter ? 1 : 0)
            bytes.append(number: UInt16(address.count))
            bytes += address
        }
    }

    private static func members(_ reader: inout ByteReader) -> [ClusterMember]? {
        guard let count = reader.number(UInt16.self), count <= greatestCount else { return nil }
        var members: [ClusterMember] = []
        for _ in 0..<count {
            guard let id = reader.number(UInt128.self), let role = reader.number(UInt8.self),
                role <= 1, let length = reader.number(UInt16.self),
                let address = reader.text(count: Int(length))
            else { return nil }
            members.append(
                ClusterMember(
                    id: NodeID(rawValue: id),
                    role: role == 1 ? .voter : .learner,
                    address: address
                )
            )
        }
        return members
    }
}
