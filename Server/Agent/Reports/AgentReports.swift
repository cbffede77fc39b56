import DNSAPI
import HTTPAPI
import LocalState
import Model
import Replica
import Wire

/// What the agent tells of itself over HTTP.
///
/// - Source: Consul: api-docs/agent.
struct AgentReports: Sendable {
    let configuration: AgentConfiguration
    let replica: Replica

    /// This agent as a member of a pool.
    func member(wan: Bool) -> AgentMember {
        var member = AgentMember()
        let ports = configuration.ports
        member.name =
            wan ? "\(configuration.nodeName).\(configuration.datacenter)" : configuration.nodeName
        member.address =
            wan ? configuration.advertiseWANAddress : configuration.advertiseAddress
        member.port = wan ? ports.serfWAN : ports.serfLAN
        member.tags = [
            "acls": "0",
            "build": "\(AgentVersions.compatible):",
            "dc": configuration.datacenter,
            "ft_fs": "1",
            "id": configuration.nodeID,
            "port": String(ports.server),
            "raft_vsn": "3",
            "role": "consul",
            "segment": "",
            "vsn": "2",
            "vsn_max": "3",
            "vsn_min": "2",
        ]
        if configuration.isBootstrap { member.tags["bootstrap"] = "1" }
        if !wan { member.tags["wan_join_port"] = String(ports.serfWAN) }
        return member
    }

    /// - Source: Consul: GET /v1/agent/self
    func selfReport(state: LocalState) -> [UInt8] {
        var writer = JSONWriter(capacity: 16 * 1024)
        writer.beginObject()
        writer.key("Config")
        writer.beginObject()
        writer.key("Datacenter")
        writer.string(configuration.datacenter)
        writer.key("NodeName")
        writer.string(configuration.nodeName)
        writer.key("NodeID")
        writer.string(configuration.nodeID)
        writer.key("Revision")
        writer.string("")
        writer.key("Server")
        writer.bool(configuration.isServer)
        writer.key("Version")
        writer.string(AgentVersions.compatible)
        writer.endObject()
        writer.key("DebugConfig")
        writer.value(JSONValue.object(debugConfiguration()))
        writer.key("Coord")
        writeCoordinate(into: &writer)
        writer.key("Member")
        member(wan: false).writeJSON(into: &writer)
        writer.key("Stats")
        writer.value(statistics(of: state))
        writer.key("Meta")
        writer.value(nodeMeta)
        writer.endObject()
        return writer.bytes
    }

    /// This agent's node as the catalog has it.
    var node: Node {
        var node = Node()
        node.id = configuration.nodeID
        node.name = configuration.nodeName
        node.address = configuration.advertiseAddress
        node.datacenter = configuration.datacenter
        node.taggedAddresses = taggedAddresses
        node.meta = nodeMeta
        return node
    }

    /// The metadata of the node's record.
    var nodeMeta: [String: String] {
        configuration.nodeMeta.merging(["consul-network-segment": ""]) { $1 }
    }

    private func writeCoordinate(into writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("Vec")
        writer.beginArray()
        for _ in 0..<8 { writer.integer(0) }
        writer.endArray()
        writer.key("Error")
        writer.double(1.5)
        writer.key("Adjustment")
        writer.integer(0)
        writer.key("Height")
        writer.double(1e-05)
        writer.endObject()
    }

    private func debugConfiguration() -> [String: JSONValue] {
        var all: [String: JSONValue] = [:]
        do throws(WireError) {
            if case .object(let object) = try JSON.parse(Array(UnservedSettings.json.utf8)) {
                all = object
            }
        } catch {
            preconditionFailure("the built-in settings are no JSON: \(error.message)")
        }
        all.merge(debugIdentity) { $1 }
        all.merge(debugAddresses) { $1 }
        all.merge(debugTLS) { $1 }
        return all
    }

    private var debugIdentity: [String: JSONValue] {
        let own = configuration
        return [
            "NodeID": .string(own.nodeID),
            "NodeName": .string(own.nodeName),
            "NodeMeta": .object(own.nodeMeta.mapValues { .string($0) }),
            "Datacenter": .string(own.datacenter),
            "PrimaryDatacenter": .string(own.datacenter),
            "ACLDatacenter": .string(own.datacenter),
            "DataDir": .string(own.dataDirectory),
            "DevMode": .bool(own.isDevelopment),
            "ServerMode": .bool(own.isServer),
            "Bootstrap": .bool(own.isBootstrap),
            "PidFile": .string(own.pidFile),
            "Version": .string(AgentVersions.compatible),
            "EnableLocalScriptChecks": .bool(own.enableLocalScriptChecks),
            "EnableRemoteScriptChecks": .bool(own.enableScriptChecks),
            "CheckUpdateInterval": .string(GoDuration.format(own.checkUpdateInterval)),
            "CheckOutputMaxSize": .integer(Int64(own.checkOutputBytes)),
            "DisableCoordinates": .bool(own.disablesCoordinates),
            "DiscardCheckOutput": .bool(own.discardsCheckOutput),
            "LeaveOnTerm": .bool(own.leavesOnTerminate),
            "SkipLeaveOnInt": .bool(own.skipsLeaveOnInterrupt),
            "DNSDomain": .string(own.dns.domain.description),
            "DNSAltDomain": .string(own.dns.alternativeDomain?.description ?? ""),
            "HTTPBlockEndpoints": .array(own.http.blockedEndpoints.map { .string($0) }),
            "HTTPMaxConnsPerClient": .integer(Int64(own.http.limits.connectionsPerClient)),
            "KVMaxValueSize": .integer(Int64(own.http.limits.keyValueBytes)),
            "TxnMaxReqLen": .integer(Int64(own.http.limits.transactionBytes)),
        ]
    }

    private var debugTLS: [String: JSONValue] {
        let tls = configuration.tls
        return [
            "CAFile": .string(tls.authorityFile),
            "CAPath": .string(tls.authorityPath),
            "CertFile": .string(tls.certificateFile),
            "TLSMinVersion": .string(tls.minimumVersion.rawValue),
            "VerifyIncomingHTTPS": .bool(tls.verifiesIncomingHTTPS),
            "VerifyIncomingRPC": .bool(tls.verifiesIncomingRPC),
            "VerifyOutgoing": .bool(tls.verifiesOutgoing),
            "VerifyServerHostname": .bool(tls.verifiesServerHostname),
            "VerifyIncoming": .bool(tls.verifiesIncomingRPC && tls.verifiesIncomingHTTPS),
        ]
    }

    private var debugAddresses: [String: JSONValue] {
        let own = configuration
        let ports = own.ports
        func urls(_ schemes: [String], _ hosts: [String], _ port: Int) -> JSONValue {
            guard port > 0 else { return .array([]) }
            return .array(
                schemes.flatMap { scheme in hosts.map { .string("\(scheme)://\($0):\(port)") } }
            )
        }
        func url(_ host: String, _ port: Int) -> JSONValue { .string("tcp://\(host):\(port)") }
        return [
            "AdvertiseAddrLAN": .string(own.advertiseAddress),
            "AdvertiseAddrWAN": .string(own.advertiseWANAddress),
            "BindAddr": .string(own.bindAddress),
            "ClientAddrs": .array(own.clientAddresses.map { .string($0) }),
            "DNSAddrs": urls(["tcp", "udp"], own.clientAddresses, ports.dns),
            "HTTPAddrs": urls(["tcp"], own.clientAddresses, ports.http),
            "DNSPort": .integer(Int64(ports.dns)),
            "HTTPPort": .integer(Int64(ports.http)),
            "HTTPSPort": .integer(Int64(ports.https)),
            "GRPCPort": .integer(Int64(ports.grpc)),
            "SerfPortLAN": .integer(Int64(ports.serfLAN)),
            "SerfPortWAN": .integer(Int64(ports.serfWAN)),
            "ServerPort": .integer(Int64(ports.server)),
            "ConnectSidecarMinPort": .integer(Int64(ports.sidecarLowest)),
            "ConnectSidecarMaxPort": .integer(Int64(ports.sidecarHighest)),
            "ExposeMinPort": .integer(Int64(ports.exposedLowest)),
            "ExposeMaxPort": .integer(Int64(ports.exposedHighest)),
            "RPCAdvertiseAddr": url(own.advertiseAddress, ports.server),
            "RPCBindAddr": url(own.bindAddress, ports.server),
            "SerfAdvertiseAddrLAN": url(own.advertiseAddress, ports.serfLAN),
            "SerfAdvertiseAddrWAN": url(own.advertiseWANAddress, ports.serfWAN),
            "SerfBindAddrLAN": url(own.bindAddress, ports.serfLAN),
            "SerfBindAddrWAN": url(own.bindAddress, ports.serfWAN),
            "TaggedAddresses": .object(taggedAddresses.mapValues { .string($0) }),
        ]
    }

    /// The tagged addresses of the node's record.
    var taggedAddresses: [String: String] {
        let family = configuration.advertiseAddress.contains(":") ? "ipv6" : "ipv4"
        let wanFamily = configuration.advertiseWANAddress.contains(":") ? "ipv6" : "ipv4"
        return [
            "lan": configuration.advertiseAddress,
            "lan_\(family)": configuration.advertiseAddress,
            "wan": configuration.advertiseWANAddress,
            "wan_\(wanFamily)": configuration.advertiseWANAddress,
        ]
    }
}
