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
    var configuration = ClientConfiguration.patient(.http(host: "127.0.0.1", port: port))
    configure(&configuration)
    try await MusterClient.withClient(configuration) { client in
        try await body(registry, client)
    }
    try await registry.stop()
}

extension ClientConfiguration {
    /// A configuration for a busy machine: no time is over before the test says so.
    static func patient(_ address: RegistryAddress) -> ClientConfiguration {
        var configuration = ClientConfiguration(address: address)
        configuration.connectTimeout = .seconds(60)
        configuration.requestTimeout = .seconds(120)
        return configuration
    }
}
