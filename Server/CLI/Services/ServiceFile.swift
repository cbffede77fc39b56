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

    static func parse(_ content: [UInt8]) throws -> [ServiceRegistration] {
        let members = try JSON.decode([String: Model.JSONValue].self, from: content)
        var services: [ServiceRegistration] = []
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            switch (name.lowercased(), value) {
            case ("service", .array(let values)), ("services", .array(let values)):
                for (index, value) in values.enumerated() {
                    services.append(try service(value, at: "\(name)[\(index)]"))
                }
            case ("service", let value): services.append(try service(value, at: name))
            default: throw UnknownKey(name: name)
            }
        }
        return services
    }

    private static func service(
        _ value: Model.JSONValue,
        at place: String
    ) throws -> ServiceRegistration {
        do {
            return try JSON.decode(
                ServiceRegistration.self,
                from: JSON.encode(joined(value, isCheck: false)),
                refusesUnknownKeys: true
            )
        } catch {
            let start = "json: unknown field \""
            guard error.code == .unknownField, error.message.hasPrefix(start) else { throw error }
            throw UnknownKey(name: place + "." + error.message.dropFirst(start.count).dropLast())
        }
    }

    /// Gives options the names of the HTTP API, and leaves what users named as it is.
    private static func joined(_ value: Model.JSONValue, isCheck: Bool) -> Model.JSONValue {
        switch value {
        case .array(let elements):
            return .array(elements.map { joined($0, isCheck: isCheck) })
        case .object(let members):
            var result: [String: Model.JSONValue] = [:]
            for (name, value) in members {
                let plain = String(name.lowercased().filter { $0 != "_" })
                switch plain {
                case "meta", "config", "header": result[plain] = value
                case "taggedaddresses": result[plain] = joinedInside(value)
                case "check", "checks": result[plain] = joined(value, isCheck: true)
                case "args": result["ScriptArgs"] = value
                case "id" where isCheck: result["CheckID"] = value
                default:
                    let key = name.contains("_") ? plain : name
                    result[key] = joined(value, isCheck: false)
                }
            }
            return .object(result)
        default: return value
        }
    }

    /// The same for the values of a map whose keys are the user's.
    private static func joinedInside(_ value: Model.JSONValue) -> Model.JSONValue {
        guard case .object(let members) = value else { return value }
        return .object(members.mapValues { joined($0, isCheck: false) })
    }
}

/// An option that service definitions do not have.
struct UnknownKey: Error, Equatable {
    var name: String
}
