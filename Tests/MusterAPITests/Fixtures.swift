import MusterAPI
import MusterTesting
import Testing

/// Runs a test against a scripted registry with a client of it.
func withRegistry(
    _ configure: (inout ClientConfiguration) -> Void = { _ in },
    _ body: (ScriptedRegistry, MusterClient) async throws -> Void
) async throws {
    let registry = ScriptedRegistry()
    let port = try await registry.start()
    var configuration = ClientConfiguration(address: .http(host: "127.0.0.1", port: port))
    configure(&configuration)
    try await MusterClient.withClient(configuration) { client in
        try await body(registry, client)
    }
    try await registry.stop()
}
