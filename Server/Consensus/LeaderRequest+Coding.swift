import Model
import RPC
import Replica

/// Requests to the leader as bytes: `| kind:1 | fields |`.
extension LeaderRequest {
    var encoded: [UInt8] {
        var writer = PeerWriter()
        switch self {
        case .renewSession(let id):
            writer.number(UInt8(1))
            writer.text(id)
        case .removeServer(let selector):
            writer.number(UInt8(2))
            selector.encode(into: &writer)
        case .transferLeadership(let selector):
            writer.number(UInt8(3))
            writer.flag(selector != nil)
            selector?.encode(into: &writer)
        case .serverHealth:
            writer.number(UInt8(4))
        }
        return writer.bytes
    }

    init?(encoded bytes: [UInt8]) {
        guard let request = PeerReader.read(bytes, LeaderRequest.read(from:)) else { return nil }
        self = request
    }

    private static func read(
        from reader: inout PeerReader
    ) throws(PeerCodecError) -> LeaderRequest {
        let kind = try reader.number(as: UInt8.self)
        switch kind {
        case 1: return .renewSession(try reader.text())
        case 2: return .removeServer(try ServerSelector(from: &reader))
        case 3:
            let names = try reader.flag()
            return .transferLeadership(to: names ? try ServerSelector(from: &reader) : nil)
        case 4: return .serverHealth
        default: throw .unknown(what: "request to the leader", found: Int(kind))
        }
    }
}

extension ServerSelector {
    fileprivate func encode(into writer: inout PeerWriter) {
        switch self {
        case .id(let id):
            writer.number(UInt8(1))
            writer.text(id)
        case .address(let address):
            writer.number(UInt8(2))
            writer.text(address)
        }
    }

    fileprivate init(from reader: inout PeerReader) throws(PeerCodecError) {
        let kind = try reader.number(as: UInt8.self)
        switch kind {
        case 1: self = .id(try reader.text())
        case 2: self = .address(try reader.text())
        default: throw .unknown(what: "name of a server", found: Int(kind))
        }
    }
}

/// Answers of the leader as bytes: `| kind:1 | fields |`.
extension LeaderReply {
    var encoded: [UInt8] {
        var writer = PeerWriter()
        switch self {
        case .done: writer.number(UInt8(1))
        case .notFound: writer.number(UInt8(2))
        case .noLeader: writer.number(UInt8(3))
        case .failed(let reason):
            writer.number(UInt8(4))
            writer.text(reason)
        case .health(let servers):
            writer.number(UInt8(5))
            writer.number(UInt32(servers.count))
            for server in servers { server.encode(into: &writer) }
        }
        return writer.bytes
    }

    init?(encoded bytes: [UInt8]) {
        guard let reply = PeerReader.read(bytes, LeaderReply.read(from:)) else { return nil }
        self = reply
    }

    private static func read(
        from reader: inout PeerReader
    ) throws(PeerCodecError) -> LeaderReply {
        let kind = try reader.number(as: UInt8.self)
        switch kind {
        case 1: return .done
        case 2: return .notFound
        case 3: return .noLeader
        case 4: return .failed(try reader.text())
        case 5:
            var servers: [ServerHealth] = []
            for _ in 0..<(try reader.count(ofAtLeast: 47, "servers")) {
                servers.append(try ServerHealth(from: &reader))
            }
            return .health(servers)
        default: throw .unknown(what: "answer of the leader", found: Int(kind))
        }
    }
}

extension ServerHealth {
    fileprivate func encode(into writer: inout PeerWriter) {
        for text in [server.id, server.nodeName, server.address] { writer.text(text) }
        writer.flag(server.isVoter)
        writer.flag(lastContact != nil)
        writer.number(UInt64(bitPattern: lastContact?.rawValue ?? 0))
        writer.number(lastTerm)
        writer.number(lastIndex.rawValue)
        writer.flag(isLeader)
        writer.flag(isHealthy)
        writer.number(stableSince.nanosecondsSinceEpoch)
    }

    fileprivate init(from reader: inout PeerReader) throws(PeerCodecError) {
        let id = try reader.text()
        let nodeName = try reader.text()
        let address = try reader.text()
        let server = LogServer(
            id: id,
            nodeName: nodeName,
            address: address,
            isVoter: try reader.flag()
        )
        let wasHeard = try reader.flag()
        let contact = Nanoseconds(rawValue: Int64(bitPattern: try reader.number()))
        let lastTerm = try reader.number(as: UInt64.self)
        let lastIndex = LogIndex(rawValue: try reader.number())
        let isLeader = try reader.flag()
        let isHealthy = try reader.flag()
        self.init(
            server: server,
            lastContact: wasHeard ? contact : nil,
            lastTerm: lastTerm,
            lastIndex: lastIndex,
            isLeader: isLeader,
            isHealthy: isHealthy,
            stableSince: Timestamp(nanosecondsSinceEpoch: try reader.number())
        )
    }
}
