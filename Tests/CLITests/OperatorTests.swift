import ArgumentParser
import Model
import MusterAPI
import Raft
import Testing
import WriteAheadLog

@testable import CLI

@Suite("What operators see")
struct OperatorTests {
    @Test("Servers are listed as Consul lists them")
    func peers() {
        let servers = [
            RaftServer(
                id: "3e86361e-748c-5880-0356-b8565b86df48",
                node: "c3",
                address: "127.0.0.1:23300",
                leader: true,
                protocolVersion: "3",
                voter: true
            ),
            RaftServer(id: "f1", node: "node-2", address: "[::1]:1", protocolVersion: "3"),
        ]
        #expect(
            ListPeersCommand.table(servers) == """
                Node    ID                                    Address          State     Voter  \
                RaftProtocol
                c3      3e86361e-748c-5880-0356-b8565b86df48  127.0.0.1:23300  leader    true   3
                node-2  f1                                    [::1]:1          follower  false  3
                """
        )
    }

    @Test("Autopilot's settings are shown as Consul shows them")
    func settings() {
        let settings = MusterAPI.AutopilotConfiguration(
            cleanupDeadServers: true,
            lastContactThreshold: .milliseconds(200),
            maxTrailingLogs: 250,
            minQuorum: 2,
            serverStabilizationTime: .seconds(10)
        )
        #expect(
            AutopilotGetCommand.text(settings) == """
                CleanupDeadServers = true
                LastContactThreshold = 200ms
                MaxTrailingLogs = 250
                MinQuorum = 2
                ServerStabilizationTime = 10s
                RedundancyZoneTag = ""
                DisableUpgradeMigration = false
                UpgradeVersionTag = ""
                """
        )
    }

    @Test("Only what is given is changed, and what cannot be read is refused")
    func changes() throws {
        var settings = MusterAPI.AutopilotConfiguration(
            cleanupDeadServers: true,
            maxTrailingLogs: 7,
            minQuorum: 3
        )
        let command = try AutopilotSetCommand.parse([
            "--min-quorum=5", "--last-contact-threshold=1m30s", "--cleanup-dead-servers=false",
        ])
        try command.change(&settings)
        #expect(settings.minQuorum == 5)
        #expect(settings.lastContactThreshold == .seconds(90))
        #expect(!settings.cleanupDeadServers)
        #expect(settings.maxTrailingLogs == 7)
        for (argument, message) in [
            (
                "--last-contact-threshold=x",
                "invalid value \"x\" for flag -last-contact-threshold: time: invalid duration \"x\""
            ),
            (
                "--max-trailing-logs=-1",
                "invalid value \"-1\" for flag -max-trailing-logs: strconv.ParseUint: "
                    + "parsing \"-1\": invalid syntax"
            ),
            (
                "--cleanup-dead-servers=x",
                "invalid boolean value \"x\" for -cleanup-dead-servers: strconv.ParseBool: "
                    + "parsing \"x\": invalid syntax"
            ),
        ] {
            let command = try AutopilotSetCommand.parse([argument])
            let failure = #expect(throws: CommandFailure.self) { try command.change(&settings) }
            #expect(failure?.message == message)
        }
    }

    @Test("The state names the leader, the voters and every server")
    func state() {
        let health = AutopilotHealth(
            healthy: true,
            failureTolerance: 1,
            servers: [
                AutopilotServerHealth(id: "b", name: "n2", serfStatus: "alive", voter: true),
                AutopilotServerHealth(id: "a", name: "n1", leader: true, voter: true),
                AutopilotServerHealth(id: "c", name: "n3", lastContact: .milliseconds(12)),
            ]
        )
        let text = AutopilotStateCommand.text(health)
        #expect(text.contains("Leader:                       a\nVoters:\n   a\n   b\nServers:\n"))
        #expect(text.contains("      Status:          non-voter\n"))
        #expect(text.contains("      Last Contact:    12ms\n"))
        #expect(AutopilotHealthCommand.text(health).hasPrefix("Healthy: true\n"))
    }

    @Test("Groups of groups take their commands' flags in Go's syntax")
    func threeWords() {
        let commands: [String: Set<String>] = [
            "operator": ["raft"], "operator raft": ["list-peers"], "operator raft list-peers": [],
        ]
        let words = ["operator", "raft", "list-peers", "-stale", "-http-addr", "a:1"]
        #expect(
            ArgumentNormalizer.normalize(words, commands: commands)
                == ["operator", "raft", "list-peers", "--stale", "--http-addr=a:1"]
        )
    }

    @Test("A group of groups alone, or with a command it does not have, fails with its help")
    func groups() async {
        for words in [["operator"], ["operator", "raft"], ["operator", "raft", "x"], ["debug"]] {
            #expect(await CommandLineTool.run(words) { _ in 0 } == 1)
        }
        #expect(await CommandLineTool.run(["operator", "raft", "-h"]) { _ in 0 } == 0)
    }

    @Test("A recovery is done only when it was confirmed, by what the program gave")
    func recovery() async {
        let words = ["operator", "raft", "recover", "-data-dir", "/d"]
        #expect(await CommandLineTool.run(words + ["-yes"]) { _ in 0 } == 1)
        let recover: @Sendable (RecoveryOrder) async throws -> String = { order in
            #expect(order == RecoveryOrder(dataDirectory: "/d"))
            return "done"
        }
        #expect(await CommandLineTool.run(words, recover: recover) { _ in 0 } == 1)
        #expect(await CommandLineTool.run(words + ["-yes"], recover: recover) { _ in 0 } == 0)
    }

    @Test("What a log holds becomes one object per item")
    func dump() {
        func text(_ item: DumpItem) -> String {
            String(decoding: DumpJSON.encode(item), as: UTF8.self)
        }
        let entry = LogEntry(
            index: LogIndex(rawValue: 5),
            term: Term(rawValue: 2),
            type: 1,
            payload: [1, 2, 3]
        )
        #expect(
            text(.record(.entry(entry), offset: 64, batch: 9, isLastOfBatch: true))
                == #"{"Kind":"entry","Index":5,"Term":2,"Type":1,"PayloadBytes":3,"#
                + #""Offset":64,"Batch":9,"LastOfBatch":true}"#
        )
        let state = DurableState(
            term: Term(rawValue: 3),
            votedFor: NodeID(rawValue: 255),
            commit: LogIndex(rawValue: 4)
        )
        #expect(
            text(.record(.state(state), offset: 1, batch: 1, isLastOfBatch: false)).contains(
                #""Kind":"state","CurrentTerm":3,"VotedFor":"ff","CommitIndex":4"#
            )
        )
        #expect(
            text(.damage(LogDamage(file: "f", offset: 7, reason: "checksum")))
                == #"{"Kind":"damage","File":"f","Offset":7,"Reason":"checksum"}"#
        )
    }

    @Test("A directory without a log is refused")
    func noLog() async {
        #expect(await CommandLineTool.run(["debug", "log", "/nonexistent"]) { _ in 0 } == 1)
        #expect(await CommandLineTool.run(["debug", "log"]) { _ in 0 } == 1)
        #expect(await CommandLineTool.run(["debug", "log", "-format=x", "/tmp"]) { _ in 0 } == 1)
    }
}
