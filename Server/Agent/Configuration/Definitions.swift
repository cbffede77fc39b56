import Model
import Wire

/// Services and checks as configuration files define them.
///
/// Their keys may be written in snake case or as the HTTP API does; both become the latter.
/// - Source: Consul: docs/agent/services, docs/discovery/checks.
enum Definitions {
    static func services(
        _ values: [JSONValue],
        source: String
    ) throws(StartError) -> [ServiceRegistration] {
        var found: [ServiceRegistration] = []
        for value in values {
            found.append(
                try decode(ServiceRegistration.self, service(value), "service", source)
            )
        }
        return found
    }

    static func checks(
        _ values: [JSONValue],
        source: String
    ) throws(StartError) -> [CheckRegistration] {
        var found: [CheckRegistration] = []
        for value in values {
            let body = try decode(CheckDefinitionBody.self, plain(value), "check", source)
            found.append(body.registration)
        }
        return found
    }

    private static func decode<Record: WireRecord>(
        _ type: Record.Type,
        _ value: JSONValue,
        _ what: String,
        _ source: String
    ) throws(StartError) -> Record {
        do throws(WireError) {
            return try JSON.decode(type, from: JSON.encode(value), refusesUnknownKeys: true)
        } catch {
            throw StartError("failed to parse \(what) in \(source): \(error.message)")
        }
    }

    /// A service: the checks inside it call their identifier `CheckID`.
    private static func service(_ value: JSONValue) -> JSONValue {
        guard case .object(let fields) = plain(value) else { return value }
        var service: [String: JSONValue] = [:]
        for (key, inner) in fields {
            switch (key.lowercased(), inner) {
            case ("check", _): service[key] = check(inner)
            case ("checks", .array(let list)): service[key] = .array(list.map(check))
            case ("connect", .object(var connect)):
                for (name, nested) in connect where name.lowercased() == "sidecarservice" {
                    connect[name] = Self.service(nested)
                }
                service[key] = .object(connect)
            default: service[key] = inner
            }
        }
        return .object(service)
    }

    private static func check(_ value: JSONValue) -> JSONValue {
        guard case .object(var fields) = value else { return value }
        for (key, inner) in fields where key.lowercased() == "id" {
            fields[key] = nil
            fields["CheckID"] = inner
        }
        return .object(fields)
    }

    /// Keys whose own keys belong to the user.
    private static let opaque: Set<String> = ["meta", "header", "config", "taggedaddresses"]

    /// The same value with keys that have no underscores; letter case does not matter to the
    /// decoder.
    private static func plain(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let values): return .array(values.map(plain))
        case .object(let fields):
            var result: [String: JSONValue] = [:]
            for (key, inner) in fields {
                let name = key.filter { $0 != "_" }
                let isOpaque = opaque.contains(name.lowercased())
                result[name] = isOpaque ? inner : plain(inner)
            }
            return .object(result)
        default: return value
        }
    }
}
