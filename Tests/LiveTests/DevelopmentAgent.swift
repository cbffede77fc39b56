import Foundation
import MusterAPI
import Testing

/// An agent of a test's own that keeps nothing: killed and started again, it has forgotten all.
final class DevelopmentAgent {
    private let program: String
    private let ports: [Int]
    private var process: Process?

    /// Chooses ports; nothing runs yet.
    init() throws {
        program = try #require(Live.binary, "MUSTER_LIVE_BINARY names no program")
        // Below the range from which the system takes the ports of outgoing connections.
        let first = Int.random(in: 2000..<3100) * 10
        ports = [first, first + 1, first + 2]
    }

    deinit { process?.terminate() }

    /// How to reach it.
    var configuration: ClientConfiguration {
        ClientConfiguration(address: .http(host: "127.0.0.1", port: ports[0]))
    }

    /// Starts it, with nothing in it, and returns when it has a leader.
    func start(_ client: MusterClient) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [
            "agent", "-dev", "-bind=127.0.0.1", "-node=live-\(ports[0])", "-dns-port=-1",
            "-grpc-port=-1", "-serf-wan-port=-1", "-http-port=\(ports[0])",
            "-serf-lan-port=\(ports[1])", "-server-port=\(ports[2])",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        // Each watch event is a try, the pauses between them are the watch's.
        for await event in client.watch("/v1/catalog/nodes").events {
            guard process.isRunning else { break }
            if case .changed(let reply) = event, reply.value.body.count > 4 { return }
        }
        Issue.record("the agent \(program) did not start")
    }

    /// Kills it, and returns when it is gone.
    func kill() {
        guard let process else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        self.process = nil
    }
}
