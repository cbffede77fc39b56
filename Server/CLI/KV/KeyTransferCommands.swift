import ArgumentParser
import MusterAPI
import Wire

/// A key as `export` writes it and `import` reads it.
private struct ExportedKey: WireRecord {
    var key = ""
    var flags: UInt64 = 0
    var value = ""

    init() {}

    init(_ pair: KeyValuePair) {
        key = pair.key
        flags = pair.flags
        value = Base64.encode(pair.value)
    }

    static var goType: String { "*impexp.Entry" }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("key", &key)
        try visitor.field("flags", &flags)
        try visitor.field("value", &value)
    }
}

/// Prints a tree of keys as JSON.
///
/// - Source: Consul: `consul kv export`.
struct KeyExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Exports a tree from the KV store as JSON"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Argument(help: "The prefix; everything without it.")
    var arguments: [String] = []

    mutating func run() async throws {
        let prefix = try KeyArguments.key(arguments)
        let options = server.query
        let pairs = try await connection.withAgent { agent in
            try await agent.call("Error querying Consul agent", showsBody: false) {
                try await $0.keyValue.list(prefix, options: options).value
            }
        }
        let text = JSON.encode(pairs.map { ExportedKey($0) })
        Console.output(JSON.pretty(text, indent: "\t"))
    }
}

/// Writes keys that `export` printed.
///
/// - Source: Consul: `consul kv import`.
struct KeyImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Imports a tree stored as JSON to the KV store"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Argument(help: "The JSON, as text, @file or - for standard input.")
    var arguments: [String] = []

    mutating func run() async throws {
        guard let argument = arguments.first else {
            throw CommandFailure("Error! Missing DATA argument")
        }
        guard arguments.count == 1 else {
            let count = arguments.count
            throw CommandFailure("Error! Too many arguments (expected 1, got \(count))")
        }
        guard !argument.isEmpty else { throw CommandFailure("Error! Empty DATA argument") }
        let entries: [ExportedKey]
        do {
            entries = try JSON.decode([ExportedKey].self, from: KeyArguments.data(argument))
        } catch let error as WireError {
            let reason = GoJSON.unmarshalMessage(error)
            throw CommandFailure("Cannot unmarshal data: \(reason)")
        }
        let options = server.write
        try await connection.withAgent { agent in
            for entry in entries {
                try await Self.write(entry, options, agent)
                Console.output("Imported: \(entry.key)")
            }
        }
    }

    private static func write(
        _ entry: ExportedKey,
        _ options: WriteOptions,
        _ agent: Agent
    ) async throws {
        let key = entry.key
        let value: [UInt8]
        do {
            value = try Base64.decode(entry.value)
        } catch {
            throw CommandFailure("Error base 64 decoding value for key \(key): \(error.message)")
        }
        let prefix = "Error! Failed writing data for key \(key)"
        if let problem = KeyArguments.check(key) { throw CommandFailure("\(prefix): \(problem)") }
        _ = try await agent.call(prefix) { client in
            try await client.keyValue.put(key, value, flags: entry.flags, options: options)
        }
    }
}

/// Where `json.Unmarshal` words an error differently from `json.Decoder`.
enum GoJSON {
    /// The text of `error` when the whole input was given at once.
    static func unmarshalMessage(_ error: WireError) -> String {
        ["EOF", "unexpected EOF"].contains(error.message)
            ? "unexpected end of JSON input" : error.message
    }
}
