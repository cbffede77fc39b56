import Foundation
import MusterAPI
import Testing

/// An agent of a test's own that keeps its state on disk and can be killed and started again.
///
/// One server on loopback ports of its own, of the program that the suite runs against.
final class LiveAgent: Sendable {
    private let program: String
    private let directory: URL
    private let settings: URL
    private let port: Int
    private let process = Shared<ChildProcess?>(nil)

    /// Chooses ports and a directory; nothing is started.
    private init() throws {
        program = try #require(Live.binary)
        directory = FileManager.default.temporaryDirectory
            .appendingPathComponent(Live.unique("agent"))
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        settings = directory.appendingPathComponent("settings.json")
        try Data(#"{"performance":{"raft_multiplier":1}}"#.utf8).write(to: settings)
        port = Int.random(in: 6000..<10_600) * 3
    }

    /// Runs `body` with an agent that is up.
    static func withAgent(
        _ body: (LiveAgent, MusterClient) async throws -> Void
    ) async throws {
        let agent = try LiveAgent()
        // What cannot be removed lies in the system's temporary folder.
        defer { try? FileManager.default.removeItem(at: agent.directory) }
        let configuration = ClientConfiguration(
            address: .http(host: "127.0.0.1", port: agent.port)
        )
        try await MusterClient.withClient(configuration) { client in
            do {
                try await agent.start(client)
                try await body(agent, client)
            } catch {
                await agent.kill()
                throw error
            }
            await agent.kill()
        }
    }

    /// Starts the agent with what it kept, and waits until it takes writes.
    func start(_ client: MusterClient) async throws {
        let started = try ChildProcess(
            program,
            [
                "agent", "-server", "-bootstrap", "-data-dir=\(directory.path)", "-node=live",
                "-bind=127.0.0.1", "-client=127.0.0.1", "-disable-host-node-id",
                "-http-port=\(port)", "-server-port=\(port + 1)", "-serf-lan-port=\(port + 2)",
                "-serf-wan-port=-1", "-dns-port=-1", "-grpc-port=-1",
                "-config-file=\(settings.path)",
            ]
        )
        process.change { $0 = started }
        #expect(await started.says("cluster leadership acquired"), "\(started.output)")
        try await isUp(client)
    }

    /// Kills the agent; what it knows is on its disk.
    func kill() async {
        await process.value?.end()
        process.change { $0 = nil }
    }

    /// Takes the registrations from its disk, as when its folder was lost; the catalog stays.
    func forgetServices() throws {
        for folder in ["services", "checks"] {
            let path = directory.appendingPathComponent(folder)
            if FileManager.default.fileExists(atPath: path.path) {
                try FileManager.default.removeItem(at: path)
            }
        }
    }

    /// Returns when the agent takes writes.
    private func isUp(_ client: MusterClient) async throws {
        // It leads; the first requests may still meet a closed port.
        var attempts = 200
        while true {
            do {
                try await client.keyValue.put("up", "yes")
                return
            } catch {
                attempts -= 1
                if attempts == 0 { throw error }
            }
        }
    }
}
