package import Model
package import Raft

/// A server that another one knows of.
package struct KnownServer: Hashable, Sendable {
    package var id: NodeID
    /// Where it is reached: host and port.
    package var address: String
    package var nodeName: String

    package init(id: NodeID, address: String, nodeName: String) {
        self.id = id
        self.address = address
        self.nodeName = nodeName
    }
}

/// What a server says of itself when a connection begins.
package struct ServerGreeting: Hashable, Sendable {
    /// The cluster it belongs to; 0 when to none yet.
    package var cluster: UInt128
    package var server: NodeID
    /// How its disk stood when it started.
    package var start: ServerStart
    /// Where its log sets the members that it counts on.
    package var configuration: LogIndex
    /// Where it is reached: host and port.
    package var address: String
    package var nodeName: String
    package var datacenter: String
    /// How many servers it waits for before it forms a cluster; 0 when it does not form one.
    package var bootstrapExpect: Int
    package var known: [KnownServer]
    /// Further facts, read by the shell only.
    package var attributes: [String: String]

    package init(
        cluster: UInt128,
        server: NodeID,
        start: ServerStart,
        configuration: LogIndex = .zero,
        address: String,
        nodeName: String = "",
        datacenter: String = "",
        bootstrapExpect: Int = 0,
        known: [KnownServer] = [],
        attributes: [String: String] = [:]
    ) {
        self.cluster = cluster
        self.server = server
        self.start = start
        self.configuration = configuration
        self.address = address
        self.nodeName = nodeName
        self.datacenter = datacenter
        self.bootstrapExpect = bootstrapExpect
        self.known = known
        self.attributes = attributes
    }
}

/// What a connection is for.
package enum ConnectionKind: UInt8, Hashable, Sendable, CaseIterable {
    /// Asks for the other side's greeting and ends.
    case hello = 0
    case priorityLane = 1
    case bulkLane = 2
    case snapshot = 3

    /// The lane that the connection is; nil when it is none.
    package var lane: PeerLane? { PeerLane(rawValue: rawValue) }
}

/// What a greeting is answered with.
package enum GreetingAnswer: Hashable, Sendable {
    case accepted(ServerGreeting)
    /// The connection ends; both sides log the reason.
    case refused(String)
    /// The same, because the server that dialled runs on an old image of its disk.
    case outdated(String)
}

/// The first frame of a connection, from the side that dialled.
struct Hello: Hashable {
    var kind: ConnectionKind
    /// Whom the dialling side expects; nil when whoever is there.
    var expected: NodeID?
    var greeting: ServerGreeting
}

/// What every connection between servers begins with, in both directions, before any frame.
///
///     offset  size
///          0     1  mode: which protocol of this port follows
///          1     6  "MUSTER"
///          7     1  version of what follows
///
/// Its layout, that of a frame and that of a refusal are the same in every version.
enum Preamble {
    static let sizeBytes = 8
    /// "m"; Consul's modes are 0 to 9, a TLS record begins with 22.
    ///
    /// - Source: Consul: RPC port, `pool.RPCType`.
    static let mode: UInt8 = 0x6D
    /// Consul's mode for TLS: what follows is TLS, and in it a preamble.
    static let tlsMode: UInt8 = 3
    /// What TLS without a mode before it begins with.
    ///
    /// - Source: RFC 8446 §5.1, handshake.
    static let tlsRecord: UInt8 = 22
    static let magic: [UInt8] = Array("MUSTER".utf8)
    static let version: UInt8 = 2

    static var bytes: [UInt8] { [mode] + magic + [version] }
}

extension ServerGreeting {
    /// The greeting's bytes.
    package var encoded: [UInt8] {
        var writer = PeerWriter()
        encode(into: &writer)
        return writer.bytes
    }

    /// Reads what `encoded` gave; nil when the bytes are something else.
    package init?(encoded bytes: [UInt8]) {
        let greeting = PeerReader.read(bytes) { (reader) throws(PeerCodecError) in
            try ServerGreeting(from: &reader)
        }
        guard let greeting else { return nil }
        self = greeting
    }

    /// How many known servers and how many attributes travel; more are left out.
    static let greatestKnown = 256
    static let greatestAttributes = 64

    /// Adds the greeting.
    ///
    ///     | cluster:16 | server:16 | start | configuration:8 | bootstrap expect:4 |
    ///     | address:text | node name:text | datacenter:text |
    ///     | count:4 | count × (id:16 | address:text | node name:text) |
    ///     | count:4 | count × (key:text | value:text), sorted |
    func encode(into writer: inout PeerWriter) {
        writer.number(cluster)
        writer.number(server.rawValue)
        start.encode(into: &writer)
        writer.number(configuration.rawValue)
        writer.number(UInt32(clamping: bootstrapExpect))
        for text in [address, nodeName, datacenter] { writer.text(text) }
        let known = known.prefix(Self.greatestKnown)
        writer.number(UInt32(known.count))
        for server in known {
            writer.number(server.id.rawValue)
            writer.text(server.address)
            writer.text(server.nodeName)
        }
        let pairs = attributes.sorted { $0.key < $1.key }.prefix(Self.greatestAttributes)
        writer.number(UInt32(pairs.count))
        for (key, value) in pairs {
            writer.text(key)
            writer.text(value)
        }
    }

    init(from reader: inout PeerReader) throws(PeerCodecError) {
        cluster = try reader.number()
        server = NodeID(rawValue: try reader.number())
        start = try ServerStart(from: &reader)
        configuration = LogIndex(rawValue: try reader.number())
        bootstrapExpect = Int(try reader.number(as: UInt32.self))
        address = try reader.text()
        nodeName = try reader.text()
        datacenter = try reader.text()
        known = []
        for _ in 0..<(try reader.count(ofAtLeast: 20, "known servers")) {
            let id = NodeID(rawValue: try reader.number())
            let address = try reader.text()
            known.append(KnownServer(id: id, address: address, nodeName: try reader.text()))
        }
        attributes = [:]
        for _ in 0..<(try reader.count(ofAtLeast: 4, "attributes")) {
            let key = try reader.text()
            attributes[key] = try reader.text()
        }
    }
}

/// How a server's disk stood.
///
///     | opened:8 | birth:16 | term:8 | last:8 | count:4 | count × number:16 |
extension ServerStart {
    func encode(into writer: inout PeerWriter) {
        writer.number(openings.count)
        writer.number(openings.birth)
        writer.number(term.rawValue)
        writer.number(last.rawValue)
        writer.number(UInt32(openings.recent.count))
        for number in openings.recent { writer.number(number) }
    }

    init(from reader: inout PeerReader) throws(PeerCodecError) {
        let count = try reader.number(as: UInt64.self)
        let birth = try reader.number(as: UInt128.self)
        let term = Term(rawValue: try reader.number())
        let last = LogIndex(rawValue: try reader.number())
        var recent: [UInt128] = []
        let known = try reader.count(ofAtLeast: 16, "openings")
        for _ in 0..<known { recent.append(try reader.number()) }
        guard let openings = Openings(count: count, birth: birth, recent: recent) else {
            throw .unknown(what: "list of openings of length", found: known)
        }
        self.init(openings: openings, term: term, last: last)
    }
}

/// The frames of a handshake.
///
///     hello      | kind:1 | names whom it expects:1 | expected:16 | greeting |
///     accepted   | greeting |
///     refused    | reason:text |
///     outdated   | reason:text |
extension Hello {
    func encode(into writer: inout PeerWriter) {
        writer.frame(.hello) { writer in
            writer.number(kind.rawValue)
            writer.flag(expected != nil)
            writer.number(expected?.rawValue ?? 0)
            greeting.encode(into: &writer)
        }
    }

    init(from reader: inout PeerReader) throws(PeerCodecError) {
        let number = try reader.number(as: UInt8.self)
        guard let kind = ConnectionKind(rawValue: number) else {
            throw .unknown(what: "kind of connection", found: Int(number))
        }
        self.kind = kind
        let expects = try reader.flag()
        let id = NodeID(rawValue: try reader.number())
        expected = expects ? id : nil
        greeting = try ServerGreeting(from: &reader)
    }
}

extension GreetingAnswer {
    func encode(into writer: inout PeerWriter) {
        switch self {
        case .accepted(let greeting):
            writer.frame(.accepted) { greeting.encode(into: &$0) }
        case .refused(let reason):
            writer.frame(.refused) { $0.text(reason) }
        case .outdated(let reason):
            writer.frame(.outdated) { $0.text(reason) }
        }
    }

    /// Reads the frame of an answer.
    static func decode(
        _ kind: Frame.Kind,
        _ reader: inout PeerReader
    ) throws(PeerCodecError) -> GreetingAnswer {
        switch kind {
        case .accepted: return .accepted(try ServerGreeting(from: &reader))
        case .refused: return .refused(try reader.text())
        case .outdated: return .outdated(try reader.text())
        default: throw .unknown(what: "answer to a greeting", found: Int(kind.rawValue))
        }
    }
}
