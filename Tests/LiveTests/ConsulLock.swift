import Foundation
import MusterAPI
import Testing

/// Consul's own `consul lock`, holding until told to leave.
struct ConsulLock: Sendable {
    /// Consul's program, nil when nobody named it.
    static let binary = ProcessInfo.processInfo.environment["CONSUL_BINARY"]
        .flatMap { $0.isEmpty ? nil : $0 }

    private let process: ChildProcess

    /// Contends for the lock `PREFIX/.lock`, or the semaphore at the prefix when `limit` is not 1.
    init(_ prefix: String, limit: Int = 1) throws {
        process = try ChildProcess(
            try #require(Self.binary),
            [
                "lock", "-http-addr=\(try #require(Live.address))", "-pass-stdin", "-n=\(limit)",
                "-name=\(prefix)", prefix, "echo inside; read line; echo outside",
            ]
        )
    }

    /// Waits until it holds.
    func isHeld() async -> Bool { await process.says("inside") }

    /// Lets it go and waits for its end.
    func leave() async throws {
        try process.tell("go")
        #expect(await process.says("outside"))
        await process.exit()
    }

    /// Waits until it says something, as its reason to fail.
    func says(_ part: String) async -> Bool { await process.says(part) }

    /// What it has said.
    var output: String { process.output }

    /// Kills what still runs.
    func end() async { await process.end() }
}

extension Trait where Self == ConditionTrait {
    /// Only with Consul's command line.
    static var consulLock: Self {
        .enabled(if: ConsulLock.binary != nil, "no Consul: CONSUL_BINARY is not set")
    }

    /// Only where the agent's program is known, to start one of the test's own.
    static var ownAgent: Self {
        .enabled(if: Live.binary != nil, "no program: MUSTER_LIVE_BINARY is not set")
    }
}
