import LocalState
import Model
import NIOCore
import Replica
import StateStore
import Wire

extension AgentReports {
    /// The figures of `consul info`.
    ///
    /// - Source: Consul: GET /v1/agent/self `Stats`.
    func statistics(of state: LocalState) -> [String: [String: String]] {
        let checks = state.checks
        let leadership = replica.leadership
        return [
            "agent": [
                "check_monitors": String(checks.count { $0.check.type == "script" }),
                "check_ttls": String(checks.count { $0.check.type == "ttl" }),
                "checks": String(checks.count),
                "services": String(state.services.count),
            ],
            "build": [
                "prerelease": "",
                "revision": "",
                "version": AgentVersions.compatible,
            ],
            "consul": [
                "acl": "disabled",
                "bootstrap": String(configuration.isBootstrap),
                "known_datacenters": "1",
                "leader": String(leadership.isLeader),
                "leader_addr": leadership.leader?.address ?? "",
                "server": String(configuration.isServer),
            ],
            "raft": raftStatistics(leadership),
            "runtime": [
                "arch": HostReport.architecture,
                "cpu_count": String(System.coreCount),
                "goroutines": "0",
                "max_procs": String(System.coreCount),
                "os": "linux",
                "version": "swift",
            ],
            "serf_lan": poolStatistics,
            "serf_wan": poolStatistics,
        ]
    }

    private func lastContact(_ leadership: Leadership) -> String {
        if leadership.isLeader { return "0" }
        let contact = leadership.lastContact
        return contact.rawValue == .max ? "never" : GoDuration.format(contact)
    }

    private func raftStatistics(_ leadership: Leadership) -> [String: String] {
        let applied = String(replica.current.store.lastApplied.rawValue)
        let servers = leadership.servers.map { server in
            "{Suffrage:\(server.isVoter ? "Voter" : "Nonvoter") ID:\(server.id) "
                + "Address:\(server.address)}"
        }
        return [
            "applied_index": applied,
            "commit_index": String(leadership.commitIndex.rawValue),
            "fsm_pending": "0",
            "last_contact": lastContact(leadership),
            "last_log_index": String(leadership.lastLogIndex.rawValue),
            "last_log_term": String(leadership.term),
            "last_snapshot_index": "0",
            "last_snapshot_term": "0",
            "latest_configuration": "[\(servers.joined(separator: " "))]",
            "latest_configuration_index": "0",
            "num_peers": String(max(0, leadership.servers.count - 1)),
            "protocol_version": "3",
            "protocol_version_max": "3",
            "protocol_version_min": "0",
            "snapshot_version_max": "1",
            "snapshot_version_min": "0",
            "state": leadership.isLeader ? "Leader" : "Follower",
            "term": String(leadership.term),
        ]
    }

    /// A pool of one.
    private var poolStatistics: [String: String] {
        [
            "coordinate_resets": "0", "encrypted": "false", "event_queue": "0",
            "event_time": "1", "failed": "0", "health_score": "0", "intent_queue": "0",
            "left": "0", "member_time": "1", "members": "1", "query_queue": "0",
            "query_time": "1",
        ]
    }

    /// The gauges of what costs nothing to know.
    ///
    /// - Source: Consul: GET /v1/agent/metrics.
    func metricsReport() -> [UInt8] {
        let leadership = replica.leadership
        let gauges: [(String, Double)] = [
            ("consul.raft.applied_index", Double(replica.current.store.lastApplied.rawValue)),
            ("consul.raft.last_index", Double(leadership.lastLogIndex.rawValue)),
            ("consul.runtime.sys_bytes", Double(HostReport.residentBytes())),
        ]
        var writer = JSONWriter(capacity: 1024)
        writer.beginObject()
        writer.key("Timestamp")
        writer.string(HostReport.timestamp(Clocks.wall()))
        writer.key("Gauges")
        writer.beginArray()
        for (name, value) in gauges {
            writer.beginObject()
            writer.key("Name")
            writer.string(name)
            writer.key("Value")
            writer.double(value)
            writer.key("Labels")
            writer.beginObject()
            writer.endObject()
            writer.endObject()
        }
        writer.endArray()
        for name in ["Points", "Counters", "Samples"] {
            writer.key(name)
            writer.beginArray()
            writer.endArray()
        }
        writer.endObject()
        return writer.bytes
    }
}
