import MusterAPI
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The real agent that the live tests talk to.
///
/// `Tests/EndToEnd/live.py` starts one, names it in the environment and runs these tests: first
/// against our own, then against a real Consul where one is installed. All of them share the one
/// agent and run at the same time, so everything a test writes has a name from ``unique(_:)``, and
/// nothing is asked that concerns them all: a reload makes a Consul in development mode forget what
/// was registered.
enum Live {
    private static let environment = ProcessInfo.processInfo.environment

    /// The agent's address as `CONSUL_HTTP_ADDR` has it, nil when there is none.
    static let address = environment["MUSTER_LIVE_ADDRESS"].flatMap { $0.isEmpty ? nil : $0 }

    /// Whether the agent is a real Consul: for the few places where it is known to differ.
    static let isConsul = environment["MUSTER_LIVE_PROGRAM"] == "consul"

    /// The agent's program, for tests that start one of their own; nil when nobody named it.
    static let binary = environment["MUSTER_LIVE_BINARY"].flatMap { $0.isEmpty ? nil : $0 }

    /// How to reach the agent.
    static func configuration() throws -> ClientConfiguration {
        let address = try #require(address, "MUSTER_LIVE_ADDRESS names no agent")
        return ClientConfiguration(address: try RegistryAddress(address))
    }

    /// Runs a test with a client of the agent.
    static func withClient(
        _ configure: (inout ClientConfiguration) -> Void = { _ in },
        _ body: (MusterClient) async throws -> Void
    ) async throws {
        var configuration = try configuration()
        configure(&configuration)
        try await MusterClient.withClient(configuration) { client in try await body(client) }
    }

    /// A name that no other test and no earlier run uses.
    static func unique(_ stem: String) -> String {
        "\(stem)-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
    }

    /// Reads with blocking queries until the answer satisfies `condition`, and returns it.
    ///
    /// A registration reaches the catalog a moment after its agent has taken it.
    static func eventually<Value>(
        _ read: (QueryOptions) async throws -> Response<Value>,
        until condition: (Value) -> Bool
    ) async throws -> Response<Value> {
        var response = try await read(QueryOptions())
        for _ in 0..<100 {
            if condition(response.value) { return response }
            let options = QueryOptions(index: max(1, response.index), wait: .milliseconds(200))
            response = try await read(options)
        }
        Issue.record("never came true; the last answer: \(response.value)")
        return response
    }
}

extension Trait where Self == ConditionTrait {
    /// Only with an agent to talk to.
    static var live: Self {
        .enabled(
            if: Live.address != nil,
            "no agent: MUSTER_LIVE_ADDRESS is not set (Tests/EndToEnd/live.py sets it)"
        )
    }
}
