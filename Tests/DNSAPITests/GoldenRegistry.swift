import Foundation
import Model
import StateStore
import Testing
import Wire

/// The catalog that the recorder filled, and what it recorded.
enum GoldenRegistry {
    struct Exchange: Decodable {
        var transport: String
        var query: String
        var answer: String?
        /// The answer holds a random part of the records.
        var random: Bool?
        /// The size of an answer of which only the header was kept.
        var length: Int?
    }

    /// The lines of one file of the recording.
    static func lines(_ name: String) throws -> [Data] {
        let url = try #require(
            Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Golden")
        )
        return try Data(contentsOf: url).split(separator: UInt8(ascii: "\n"))
    }

    static func exchanges(_ name: String) throws -> [Exchange] {
        try lines(name).map { try JSONDecoder().decode(Exchange.self, from: $0) }
    }

    /// The catalog as the recorder left it.
    static func store() throws -> StateStore {
        var registry = TestRegistry()
        for line in try lines("registrations.json") where line.count > 2 {
            let text = line.last == UInt8(ascii: ",") ? line.dropLast() : line
            let request = try JSON.decode(RegisterRequest.self, from: Array(text))
            registry.register(request.command)
        }
        for (name, count) in [("many", 40), ("huge", 1200)] {
            for index in 0..<count {
                registry.register(
                    node: name + "-" + String(repeating: "0", count: 4 - "\(index)".count)
                        + "\(index)",
                    address: "10.\(9 + name.count).\(index / 250).\(index % 250)",
                    service: name,
                    port: 1000
                )
            }
        }
        return registry.store
    }
}

/// A registry that a test fills.
struct TestRegistry {
    var store = StateStore()
    private var index: UInt64 = 0

    mutating func register(node: String, address: String, service: String, port: Int) {
        var command = RegisterCommand()
        command.node.name = node
        command.node.address = address
        var instance = CatalogService()
        instance.name = service
        instance.port = port
        command.service = instance
        register(command)
    }

    /// Applies a registration after completing it as the HTTP API does.
    mutating func register(_ registration: RegisterCommand) {
        var command = registration
        command.datacenter = "dc1"
        command.node.datacenter = "dc1"
        if let service = command.service, service.id.isEmpty {
            command.service?.id = service.name
        }
        for check in command.checks.indices {
            command.checks[check].node = command.node.name
            if !command.checks[check].serviceID.isEmpty {
                command.checks[check].serviceName = command.service?.name ?? ""
            }
        }
        index += 1
        var changes = ChangeSet()
        let result = store.apply(
            .register(command),
            at: LogIndex(rawValue: index),
            stamped: Timestamp(nanosecondsSinceEpoch: index),
            into: &changes
        )
        if case .refused = result { Issue.record("\(command.node.name) was refused: \(result)") }
    }
}

/// Bytes from hexadecimal digits.
func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = Array(hexadecimal.utf8)
    return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
        UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16)
    }
}
