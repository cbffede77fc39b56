import Model
import Wire

/// Service definitions in files: JSON with `service` or `services`.
///
/// Names may be written as the HTTP API has them or in snake case, as in an agent's configuration.
/// - Source: Consul: docs "Service Definition".
enum ServiceFile {
    /// The services of all files, in order.
    static func services(_ paths: [String]) throws -> [ServiceRegistration] {
        var services: [ServiceRegistration] = []
        for path in paths { services += try Self.services(in: path) }
        return services
    }

    private static func services(in path: String) throws -> [ServiceRegistration] {
        let content: [UInt8]
        do {
            content = try Console.readFile(path)
        } catch {
            throw CommandFailure("Error: config: Open failed on \(path). \(error.reason)")
        }
        guard path.hasSuffix(".json") || content.first == UInt8(ascii: "{") else {
            throw CommandFailure("Error: failed to parse \(path): only JSON files are supported")
        }
        do {
            return try parse(content)
        } catch let error as WireError {
            let reason = GoJSON.unmarshalMessage(error)
            throw CommandFailure("Error: failed to parse \(path): \(reason)")
        } catch let error as UnknownKey {
            throw CommandFailure(
                "Error: failed to parse \(path): 1 error occurred:\n"
                    + "\t* invalid config key \(error.name)\n\n"
            )
        }
    }

    private static func parse(_ content: [UInt8]) throws -> [ServiceRegistration] {
        guard case .object(let members) = try JSON.parse(content) else {
            throw WireError(.type, "the file is not an object")
        }
        var services: [ServiceRegistration] = []
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            switch (name.lowercased(), value) {
            case ("service", let value): services.append(try service(value))
            case ("services", .array(let values)):
                services += try values.map { try service($0) }
            default: throw UnknownKey(name: name)
            }
        }
        return services
    }

    private static func service(_ value: Model.JSONValue) throws -> ServiceRegistration {
        do {
            return try JSON.decode(
                ServiceRegistration.self,
                from: JSON.encode(joined(value)),
                refusesUnknownKeys: true
            )
        } catch {
            let start = "json: unknown field \""
            guard error.code == .unknownField, error.message.hasPrefix(start) else { throw error }
            throw UnknownKey(name: "service." + error.message.dropFirst(start.count).dropLast())
        }
    }

    /// Takes the underscores out of option names, but not out of what users named.
    private static func joined(_ value: Model.JSONValue) -> Model.JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map(joined))
        case .object(let members):
            var result: [String: Model.JSONValue] = [:]
            for (name, value) in members {
                let plain = String(name.lowercased().filter { $0 != "_" })
                let key = plain == "args" ? "ScriptArgs" : plain == "id" ? name : plain
                switch plain {
                case "meta", "config", "header": result[key] = value
                case "taggedaddresses": result[key] = joinedInside(value)
                default: result[key] = joined(value)
                }
            }
            return .object(result)
        default: return value
        }
    }

    /// The same for the values of a map whose keys are the user's.
    private static func joinedInside(_ value: Model.JSONValue) -> Model.JSONValue {
        guard case .object(let members) = value else { return value }
        return .object(members.mapValues(joined))
    }
}

/// An option that service definitions do not have.
private struct UnknownKey: Error {
    var name: String
}
