import Model
package import Raft

/// An entry: `| index:8 | term:8 | kind:1 |`, then for each kind
///
///     0 noop            nothing
///     1 command         | payload:blob |
///     2 configuration   | count:4 | count × member | count:4 | count × outgoing member |
///
/// A member: `| id:16 | role:1 (0 voter, 1 learner) | address:text |`.
extension Entry {
    static let leastBytes = 17

    func encode(into writer: inout PeerWriter) {
        writer.number(index.rawValue)
        writer.number(term.rawValue)
        switch body {
        case .noop:
            writer.number(UInt8(0))
        case .command(let payload):
            writer.number(UInt8(1))
            writer.blob(payload)
        case .configuration(let configuration):
            writer.number(UInt8(2))
            configuration.encode(into: &writer)
        }
    }

    init(from reader: inout PeerReader) throws(PeerCodecError) {
        let index = try reader.index()
        let term = Term(rawValue: try reader.number())
        let kind = try reader.number(as: UInt8.self)
        switch kind {
        case 0: self.init(index: index, term: term, body: .noop)
        case 1: self.init(index: index, term: term, body: .command(try reader.blob()))
        case 2:
            let configuration = try ClusterConfiguration(from: &reader)
            self.init(index: index, term: term, body: .configuration(configuration))
        default: throw .unknown(what: "kind of entry", found: Int(kind))
        }
    }
}

extension ClusterConfiguration {
    /// The configuration's bytes; the log on disk and snapshots may use them too.
    package var encoded: [UInt8] {
        var writer = PeerWriter()
        encode(into: &writer)
        return writer.bytes
    }

    /// Reads what `encoded` gave.
    package init(encoded bytes: [UInt8]) throws(PeerCodecError) {
        let result = bytes.withUnsafeBytes { raw in
            Result<ClusterConfiguration, PeerCodecError> { () throws(PeerCodecError) in
                var reader = PeerReader(raw)
                let configuration = try ClusterConfiguration(from: &reader)
                try reader.finish()
                return configuration
            }
        }
        self = try result.get()
    }

    func encode(into writer: inout PeerWriter) {
        for half in [members, outgoing] {
            writer.number(UInt32(half.count))
            for member in half {
                writer.number(member.id.rawValue)
                writer.number(UInt8(member.role == .voter ? 0 : 1))
                writer.text(member.address)
            }
        }
    }

    init(from reader: inout PeerReader) throws(PeerCodecError) {
        let members = try Self.half(from: &reader)
        self.init(members: members, outgoing: try Self.half(from: &reader))
    }

    private static func half(
        from reader: inout PeerReader
    ) throws(PeerCodecError) -> [ClusterMember] {
        let count = try reader.count(ofAtLeast: 19, "members")
        var half: [ClusterMember] = []
        half.reserveCapacity(count)
        for _ in 0..<count {
            let id = NodeID(rawValue: try reader.number())
            let role = try reader.number(as: UInt8.self)
            guard role <= 1 else { throw .unknown(what: "role", found: Int(role)) }
            let address = try reader.text()
            half.append(
                ClusterMember(id: id, role: role == 0 ? .voter : .learner, address: address)
            )
        }
        return half
    }
}
