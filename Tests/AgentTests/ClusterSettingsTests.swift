import Glibc
import Model
import Testing

@testable import Agent

@Suite struct ClusterSettingsTests {
    private func resolve(_ options: String, isServer: Bool = true) throws -> AgentConfiguration {
        let place = #"{"bind_addr":"127.0.0.1","server":\#(isServer)}"#
        let directory = "/tmp/muster-cluster-settings-\(UUIDs.random())"
        defer {
            unlink("\(directory)/node-id")
            rmdir(directory)
        }
        return try AgentSettings.resolve([
            "-data-dir", directory, "-hcl", place, "-hcl", options,
        ])
    }

    private func complaint(_ options: String, isServer: Bool = true) -> String? {
        do {
            _ = try resolve(options, isServer: isServer)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func aClusterIsFormedByOneByManyOrJoined() throws {
        #expect(try resolve("{}").cluster.formation == .join)
        #expect(try resolve(#"{"bootstrap":true}"#).cluster.formation == .bootstrap)
        #expect(try resolve(#"{"bootstrap_expect":3}"#).cluster.formation == .expect(3))
        let one = try resolve(#"{"bootstrap_expect":1}"#)
        #expect(one.cluster.formation == .bootstrap)
        #expect(one.isBootstrap)
        #expect(
            one.warnings == [
                "BootstrapExpect is set to 1; this is the same as Bootstrap mode.",
                "bootstrap = true: do not enable unless necessary",
            ]
        )
        #expect(try AgentSettings.resolve(["-dev"]).cluster.formation == .bootstrap)
    }

    @Test func whatCannotFormAClusterIsRefusedInConsulsWords() {
        #expect(
            complaint(#"{"bootstrap":true,"bootstrap_expect":3}"#)
                == "'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive"
        )
        #expect(
            complaint(#"{"bootstrap_expect":3}"#, isServer: false)
                == "'bootstrap_expect > 0' requires 'server = true'"
        )
        #expect(
            complaint(#"{"bootstrap":true}"#, isServer: false)
                == "'bootstrap = true' requires 'server = true'"
        )
        #expect(
            complaint(#"{"bootstrap_expect":-1}"#)
                == "bootstrap_expect cannot be -1. Must be greater than or equal to zero"
        )
        #expect(complaint(#"{"bootstrap_expect":65}"#)?.hasPrefix("bootstrap_expect") == true)
        #expect(throws: StartError("'bootstrap_expect > 0' not allowed in dev mode")) {
            try AgentSettings.resolve(["-dev", "-bootstrap-expect", "3"])
        }
    }

    @Test func evenNumbersOfServersAreWarnedAbout() throws {
        let table = "See https://www.consul.io/docs/internals/consensus.html#deployment-table"
        #expect(
            try resolve(#"{"bootstrap_expect":2}"#).warnings == [
                "bootstrap_expect = 2: A cluster with 2 servers will provide no failure "
                    + "tolerance. \(table)",
                "bootstrap_expect > 0: expecting 2 servers",
            ]
        )
        #expect(
            try resolve(#"{"bootstrap_expect":4}"#).warnings.first
                == "bootstrap_expect is even number: A cluster with an even number of servers "
                + "does not achieve optimum fault tolerance. \(table)"
        )
    }

    @Test func addressesToJoinTakePortsAndBrackets() throws {
        let configuration = try resolve(
            #"""
            {"retry_join":["10.0.0.1","10.0.0.2:9300","::1","[::1]:8300","[fe80::1%eth0]:1",
             "","db-1.example","10.0.0.1:8300"],"retry_interval":"2s","retry_max":7}
            """#
        )
        #expect(
            configuration.cluster.retryJoin.map(\.description) == [
                "10.0.0.1:8300", "10.0.0.2:9300", "[::1]:8300", "[fe80::1%eth0]:1",
                "db-1.example:8300",
            ]
        )
        #expect(configuration.cluster.retryInterval == .seconds(2))
        #expect(configuration.cluster.retryLimit == 7)
        #expect(!configuration.warnings.contains { $0.contains("retry_join") })
        let moved = try resolve(#"{"retry_join":["a"],"ports":{"server":7300}}"#)
        #expect(moved.cluster.retryJoin == [ServerAddress(host: "a", port: 7300)])
        #expect(moved.serverAddress.description == "127.0.0.1:7300")
    }

    @Test(arguments: [
        "a:b:c", "[::1", "[::1]x", "[::1]:", "1.2.3.4:99999", "1.2.3.4:0", ":8300", "a b",
        "[1.2.3.4]:1", "host:+1", "provider=aws tag_key=x", "http://a",
    ])
    func whatIsNoAddressToJoinIsRefused(_ text: String) {
        #expect(complaint(#"{"retry_join":["\#(text)"]}"#)?.hasPrefix("retry_join: ") == true)
    }

    @Test func timesAndNumbersAreReadAndBounded() throws {
        let cluster = try resolve(
            #"""
            {"performance":{"raft_multiplier":3,"rpc_hold_timeout":"1s","leave_drain_time":"0s"},
             "raft_snapshot_threshold":10,"raft_snapshot_interval":"5s","raft_trailing_logs":0}
            """#
        ).cluster
        #expect(cluster.raftMultiplier == 3)
        #expect(cluster.rpcHoldTimeout == .seconds(1))
        #expect(cluster.leaveDrainTime == .zero)
        #expect(cluster.snapshotThreshold == 10)
        #expect(cluster.snapshotInterval == .seconds(5))
        #expect(cluster.trailingLogs == ClusterSettings().trailingLogs)
        for multiplier in [-1, 0, 11] {
            #expect(
                complaint(#"{"performance":{"raft_multiplier":\#(multiplier)}}"#)
                    == "performance.raft_multiplier cannot be \(multiplier). "
                    + "Must be between 1 and 10"
            )
        }
        #expect(complaint(#"{"raft_trailing_logs":-1}"#)?.contains("cannot be -1") == true)
        #expect(complaint(#"{"retry_interval":"0s"}"#)?.contains("retry_interval") == true)
        #expect(
            complaint(#"{"performance":{"rpc_hold_timeout":"-1s"}}"#)
                == "performance.rpc_hold_timeout cannot be -1s. "
                + "Must be greater than or equal to zero"
        )
    }

    @Test func autopilotsFirstSettingsAreRead() throws {
        let configuration = try resolve(
            #"""
            {"autopilot":{"cleanup_dead_servers":false,"last_contact_threshold":"1s",
             "max_trailing_logs":500,"min_quorum":3,"server_stabilization_time":"20s",
             "redundancy_zone_tag":"zone"},"non_voting_server":true}
            """#
        )
        let autopilot = configuration.cluster.autopilot
        #expect(!autopilot.cleanupDeadServers)
        #expect(autopilot.lastContactThreshold == .seconds(1))
        #expect(autopilot.maxTrailingLogs == 500)
        #expect(autopilot.minQuorum == 3)
        #expect(autopilot.serverStabilizationTime == .seconds(20))
        #expect(autopilot.redundancyZoneTag == "zone")
        #expect(
            configuration.warnings == [
                "\"autopilot.redundancy_zone_tag\" is a Consul Enterprise configuration and will "
                    + "have no effect",
                "\"non_voting_server\" is a Consul Enterprise configuration and will have no "
                    + "effect",
            ]
        )
        #expect(
            complaint(#"{"autopilot":{"max_trailing_logs":-1}}"#)
                == "autopilot.max_trailing_logs cannot be -1. "
                + "Must be greater than or equal to zero"
        )
    }

    @Test func addressesToAdvertiseAreAddresses() {
        #expect(
            complaint(#"{"advertise_addr":"foo"}"#) == "advertise_addr: invalid ip address: foo"
        )
        #expect(
            complaint(#"{"advertise_addr":"0.0.0.0"}"#)
                == "Advertise address cannot be 0.0.0.0, :: or [::]"
        )
    }
}
