import ArgumentParser
import MusterAPI
import Wire

/// The key/value store.
///
/// - Source: Consul: `consul kv`.
struct KeyValueCommand: CommandGroup {
    static let configuration = CommandConfiguration(
        commandName: "kv",
        abstract: "Interacts with the key/value store",
        subcommands: [
            KeyDeleteCommand.self, KeyExportCommand.self, KeyGetCommand.self,
            KeyImportCommand.self, KeyPutCommand.self,
        ]
    )
}

/// Arguments of the key/value commands.
enum KeyArguments {
    /// At most one key, without the leading slash that users like to type.
    static func key(_ arguments: [String]) throws -> String {
        guard arguments.count <= 1 else {
            throw CommandFailure("Too many arguments (expected 1, got \(arguments.count))")
        }
        let key = arguments.first ?? ""
        return key.hasPrefix("/") ? String(key.dropFirst()) : key
    }

    /// Data given as text, as `@file`, or as `-` for standard input.
    static func data(_ argument: String) throws -> [UInt8] {
        if argument == "-" {
            do {
                return try Console.readAll(0, limit: CommandLimits.inputBytes)
            } catch {
                throw CommandFailure("Error! Failed to read stdin: \(error.reason)")
            }
        }
        guard argument.hasPrefix("@") else { return Array(argument.utf8) }
        do {
            return try Console.readFile(String(argument.dropFirst()))
        } catch {
            throw CommandFailure("Error! Failed to read file: \(error.reason)")
        }
    }

    /// Refuses what Consul's client refuses before it asks.
    static func check(_ key: String) -> String? {
        key.hasPrefix("/") ? "Invalid key. Key must not begin with a '/': \(key)" : nil
    }
}

/// Deletes a key or a tree.
///
/// - Source: Consul: `consul kv delete`.
struct KeyDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Removes data from the KV store"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Flag(help: "Delete only when the key's index is that of -modify-index.")
    var cas = false

    @Option(help: "The index that -cas compares.")
    var modifyIndex: UInt64 = 0

    @Flag(help: "Delete all keys with the prefix.")
    var recurse = false

    @Argument(help: "The key or prefix.")
    var keys: [String] = []

    mutating func run() async throws {
        let key = try KeyArguments.key(keys)
        guard !key.isEmpty || recurse else { throw CommandFailure("Error! Missing KEY argument") }
        if !cas, modifyIndex != 0 {
            throw CommandFailure("Cannot specify -modify-index without -cas!")
        }
        if cas, modifyIndex == 0 {
            throw CommandFailure("Must specify -modify-index with -cas!")
        }
        if cas, recurse { throw CommandFailure("Cannot specify both -cas and -recurse!") }
        let (options, index, recurse) = (server.write, cas ? modifyIndex : nil, recurse)
        let deleted = try await connection.withAgent { agent in
            let failure =
                recurse
                ? "Error! Did not delete prefix \(key)"
                : index == nil ? "Error deleting key \(key)" : "Error! Did not delete key \(key)"
            return try await agent.call(failure) { client in
                guard recurse else {
                    return try await client.keyValue.delete(
                        key,
                        ifUnchangedSince: index,
                        options: options
                    )
                }
                try await client.keyValue.deleteAll(prefix: key, options: options)
                return true
            }
        }
        guard deleted || !cas else {
            throw CommandFailure("Error! Did not delete key \(key): CAS failed")
        }
        Console.output(
            recurse ? "Success! Deleted keys with prefix: \(key)" : "Success! Deleted key: \(key)"
        )
    }
}

/// Sets a key.
///
/// - Source: Consul: `consul kv put`.
struct KeyPutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put",
        abstract: "Sets or updates data in the KV store"
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var server: ServerOptions

    @Flag(help: "Write only when the key's index is that of -modify-index.")
    var cas = false

    @Option(help: "The application's own number with the key.")
    var flags: UInt64 = 0

    @Flag(help: "The data is base64.")
    var base64 = false

    @Option(help: "The index that -cas compares.")
    var modifyIndex: UInt64 = 0

    @Option(help: "The session of -acquire and -release.")
    var session = ""

    @Flag(help: "Lock the key for -session.")
    var acquire = false

    @Flag(help: "Give the lock of -session back.")
    var release = false

    @Argument(help: "The key and its data: text, @file or - for standard input.")
    var arguments: [String] = []

    mutating func run() async throws {
        guard let key = arguments.first else {
            throw CommandFailure("Error! Missing KEY argument")
        }
        guard arguments.count <= 2 else {
            let count = arguments.count
            throw CommandFailure("Error! Too many arguments (expected 1 or 2, got \(count))")
        }
        let value = try decoded(KeyArguments.data(arguments.count == 2 ? arguments[1] : ""))
        if acquire || release, session.isEmpty {
            throw CommandFailure("Error! Missing -session (required with -acquire and -release)")
        }
        if cas, modifyIndex == 0 {
            throw CommandFailure("Must specify -modify-index with -cas!")
        }
        if let problem = KeyArguments.check(key) {
            throw CommandFailure("Error! Failed writing data: \(problem)")
        }
        let (condition, command) = (condition, self)
        let written = try await connection.withAgent { agent in
            try await agent.call("Error! Failed writing data") { client in
                try await client.keyValue.put(
                    key,
                    value,
                    flags: command.flags,
                    if: condition,
                    options: command.server.write
                )
            }
        }
        try conclude(key, written)
    }

    /// - Deviation: Consul reports data that is not base64 and then writes a part of it.
    private func decoded(_ data: [UInt8]) throws -> [UInt8] {
        guard base64 else { return data }
        do {
            return try Base64.decode(bytes: data)
        } catch {
            throw CommandFailure("Error! Cannot base 64 decode data: \(error.message)")
        }
    }

    private var condition: KeyValueCondition {
        if cas { return .unchanged(since: modifyIndex) }
        if acquire { return .acquire(session: session) }
        return release ? .release(session: session) : .always
    }

    private func conclude(_ key: String, _ written: Bool) throws {
        if cas {
            guard written else {
                throw CommandFailure("Error! Did not write to \(key): CAS failed")
            }
        } else if acquire {
            guard written else { throw CommandFailure("Error! Did not acquire lock") }
            return Console.output("Success! Lock acquired on: \(key)")
        } else if release {
            guard written else { throw CommandFailure("Error! Did not release lock") }
            return Console.output("Success! Lock released on: \(key)")
        }
        Console.output("Success! Data written to: \(key)")
    }
}
