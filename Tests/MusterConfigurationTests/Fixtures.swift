import Configuration
import Logging
import MusterAPI
import MusterConfiguration
import MusterTesting

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The answer to a query for a prefix, as the registry writes it.
func pairs(_ values: [String: String]) -> String {
    pairs(values.mapValues { Array($0.utf8) })
}

/// The same with values that are not text.
func pairs(_ values: [String: [UInt8]]) -> String {
    let list = values.sorted { $0.key < $1.key }.map { key, value in
        """
        {"LockIndex":0,"Key":"\(key)","Flags":0,"Value":"\(Data(value).base64EncodedString())",
        "CreateIndex":1,"ModifyIndex":2}
        """
    }
    return "[" + list.joined(separator: ",") + "]"
}

/// Runs `body` with a scripted registry, a client of it and a clock that stands still.
func withRegistry(
    _ body: (ScriptedRegistry, MusterClient, ManualClock) async throws -> Void
) async throws {
    let registry = ScriptedRegistry()
    let port = try await registry.start()
    let address = RegistryAddress.http(host: "127.0.0.1", port: port)
    try await MusterClient.withClient(ClientConfiguration(address: address)) { client in
        try await body(registry, client, ManualClock())
    }
    try await registry.stop()
}

/// A provider over a fixed tree.
func withProvider(
    _ values: [String: [UInt8]],
    _ configure: (inout KeyValueProvider.Settings) -> Void = { _ in },
    _ body: (KeyValueProvider, ScriptedRegistry, ManualClock) async throws -> Void
) async throws {
    try await withRegistry { registry, client, time in
        var settings = KeyValueProvider.Settings()
        settings.clock = time.source
        configure(&settings)
        async let made = KeyValueProvider(
            client: client,
            prefix: "/app/",
            settings: settings,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let first = await registry.next("/v1/kv/app/?")
        first.answer(values.isEmpty ? 404 : 200, index: 5, values.isEmpty ? "" : pairs(values))
        try await body(try await made, registry, time)
    }
}

/// The same with texts.
func withProvider(
    _ values: [String: String],
    _ configure: (inout KeyValueProvider.Settings) -> Void = { _ in },
    _ body: (KeyValueProvider, ScriptedRegistry, ManualClock) async throws -> Void
) async throws {
    try await withProvider(values.mapValues { Array($0.utf8) }, configure, body)
}
