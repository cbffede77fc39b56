import ArgumentParser
import Filter
import MusterAPI
import Wire

/// Lists the members of the cluster.
///
/// - Source: Consul: `consul members`.
struct MembersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members",
        abstract: "Lists the members of the cluster"
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Show every tag of the members.")
    var detailed = false

    @Flag(help: "List the servers of all datacenters.")
    var wan = false

    @Option(help: "Only members whose status matches this regular expression.")
    var status = ".*"

    @Option(help: "Network segment; only in Consul Enterprise.")
    var segment = "_all"

    @Argument(help: .hidden)
    var ignored: [String] = []

    mutating func run() async throws {
        let pattern: RegularExpression
        do {
            pattern = try RegularExpression(status)
        } catch {
            throw CommandFailure("Failed to compile status regexp: \(error)")
        }
        var query: [(name: String, value: String?)] = [("segment", segment)]
        if wan { query.append(("wan", "1")) }
        let parameters = query
        let members = try await connection.withAgent { agent in
            try await agent.call("Error retrieving members") { client in
                let reply = try await client.query("/v1/agent/members", query: parameters).value
                return try JSON.decode([Member].self, from: reply.body)
            }
        }
        let shown = members.filter { pattern.matches($0.statusName) }
            .sorted { ($0.name, $0.shownSegment) < ($1.name, $1.shownSegment) }
        guard !shown.isEmpty else { throw CommandFailure("", exitCode: 2) }
        let header =
            detailed
            ? ["Node", "Address", "Status", "Tags"]
            : ["Node", "Address", "Status", "Type", "Build", "Protocol", "DC", "Segment"]
        let rows = shown.map { detailed ? $0.detailedRow : $0.row }
        Console.output(Columns.aligned([header] + rows))
    }
}

/// A member as the agent lists it.
private struct Member: WireRecord {
    var name = ""
    var address = ""
    var port = 0
    var tags: [String: String] = [:]
    var status = 0

    static var goType: String { "api.AgentMember" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Name", &name)
        try visitor.field("Addr", &address)
        try visitor.field("Port", &port)
        try visitor.field("Tags", &tags)
        try visitor.field("Status", &status)
    }
}

extension Member {
    /// The state in words.
    fileprivate var statusName: String {
        AgentMember(status: status).statusName
    }

    /// The segment as the list shows it.
    fileprivate var shownSegment: String {
        if tags["role"] == "consul" { return "<all>" }
        return tags["segment"].flatMap { $0.isEmpty ? nil : $0 } ?? "<default>"
    }

    private var endpoint: String {
        address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    fileprivate var row: [String] {
        let build = tags["build"] ?? ""
        let version = build.isEmpty ? "< 0.3" : String(build.prefix { $0 != ":" })
        let rest = [version, tags["vsn"] ?? "", tags["dc"] ?? "", shownSegment]
        switch tags["role"] {
        case "node": return [name, endpoint, statusName, "client"] + rest
        case "consul": return [name, endpoint, statusName, "server"] + rest
        default: return [name, endpoint, statusName, "unknown", "", "", "", ""]
        }
    }

    fileprivate var detailedRow: [String] {
        var tags = tags
        tags["segment"] = shownSegment
        return [name, endpoint, statusName, tags.pairs(separator: ",")]
    }
}
