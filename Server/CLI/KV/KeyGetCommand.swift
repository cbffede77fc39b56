import ArgumentParser
import MusterAPI
import Wire

/// Reads keys.
///
/// - Source: Consul: `consul kv get`.
struct KeyGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Retrieves or lists data from the KV store"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Flag(help: "Show values as base64.")
    var base64 = false

    @Flag(help: "Show everything that is known about the keys.")
    var detailed = false

    @Flag(help: "List names instead of values.")
    var keys = false

    @Flag(help: "Read all keys with the prefix.")
    var recurse = false

    @Option(help: "With -keys: where names are cut.")
    var separator = "/"

    @Argument(help: "The key or prefix.")
    var arguments: [String] = []

    mutating func run() async throws {
        let key = try KeyArguments.key(arguments)
        guard !key.isEmpty || recurse || keys else {
            throw CommandFailure("Error! Missing KEY argument")
        }
        if keys { return try await listNames(key) }
        if recurse { return try await list(key) }
        let options = server.query
        let pair = try await ask { try await $0.keyValue.get(key, options: options).value }
        guard let pair else { throw CommandFailure("Error! No key exists at: \(key)") }
        if detailed {
            Console.output(Self.details(pair, value: shown(pair.value)))
        } else {
            Console.output(shown(pair.value))
        }
    }

    private func listNames(_ prefix: String) async throws {
        let (separator, options) = (separator, server.query)
        let names = try await ask {
            try await $0.keyValue.keys(prefix, separator: separator, options: options).value
        }
        for name in names { Console.output(name) }
    }

    private func list(_ prefix: String) async throws {
        let options = server.query
        let pairs = try await ask { try await $0.keyValue.list(prefix, options: options).value }
        for (index, pair) in pairs.enumerated() {
            if detailed {
                Console.output(Self.details(pair, value: shown(pair.value)))
                if index + 1 < pairs.count { Console.output("") }
            } else {
                Console.output(Array("\(pair.key):".utf8) + shown(pair.value))
            }
        }
    }

    private func ask<Result: Sendable>(
        _ request: (MusterClient) async throws -> Result
    ) async throws -> Result {
        try await connection.withAgent { agent in
            try await agent.call("Error querying Consul agent", showsBody: false, request)
        }
    }

    /// The value's bytes as they are, or as base64.
    private func shown(_ value: [UInt8]) -> [UInt8] {
        base64 ? Array(Base64.encode(value).utf8) : value
    }

    /// A table of the key's fields.
    private static func details(_ pair: KeyValuePair, value: [UInt8]) -> [UInt8] {
        let session = pair.session ?? ""
        let rows = [
            ("CreateIndex", "\(pair.createIndex)"), ("Flags", "\(pair.flags)"),
            ("Key", pair.key), ("LockIndex", "\(pair.lockIndex)"),
            ("ModifyIndex", "\(pair.modifyIndex)"), ("Session", session.isEmpty ? "-" : session),
            ("Value", ""),
        ]
        let table = Columns.tabbed(rows)
        // No padding stands before nothing.
        return Array((value.isEmpty ? Columns.trimmed(table) : table).utf8) + value
    }
}
