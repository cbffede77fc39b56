import Model
import Wire

/// The options of one source, checked against the table; layers merge into one.
struct ConfigurationLayer: Sendable {
    private(set) var values: [String: JSONValue]

    init(_ values: [String: JSONValue] = [:]) {
        self.values = values
    }

    /// Reads one file's text; unknown and wrong options are refused together.
    init(json: [UInt8], source: String) throws(StartError) {
        let value: JSONValue
        do throws(WireError) {
            value = try JSON.parse(json)
        } catch {
            throw StartError("failed to parse \(source): \(error.message)")
        }
        guard case .object(let object) = value, case .group(let known) = OptionTable.root else {
            throw StartError("failed to parse \(source): expected an object")
        }
        var unknown: [String] = []
        var wrong: [String] = []
        values = Self.check(object, known, path: "", &unknown, &wrong)
        if !wrong.isEmpty {
            let lines = wrong.map { "* \($0)" }.joined(separator: "\n")
            throw StartError(
                "failed to parse \(source): \(wrong.count) error(s) decoding:\n\n\(lines)"
            )
        }
        guard unknown.isEmpty else {
            let count = unknown.count == 1 ? "1 error" : "\(unknown.count) errors"
            let lines = unknown.sorted().map { "\t* invalid config key \($0)\n" }.joined()
            throw StartError("failed to parse \(source): \(count) occurred:\n\(lines)\n")
        }
    }

    /// Adds a later layer: its single values win, lists grow, maps and groups merge.
    ///
    /// - Source: Consul: docs/agent/options "Configuration Files".
    mutating func merge(_ later: ConfigurationLayer) {
        values = Self.merged(values, later.values)
    }

    private static func merged(
        _ earlier: [String: JSONValue],
        _ later: [String: JSONValue]
    ) -> [String: JSONValue] {
        earlier.merging(later) { old, new in
            switch (old, new) {
            case (.object(let left), .object(let right)): .object(merged(left, right))
            case (.array(let left), .array(let right)): .array(left + right)
            default: new
            }
        }
    }

    // MARK: Checking

    /// The options with canonical names and types.
    private static func check(
        _ object: [String: JSONValue],
        _ known: [String: OptionKind],
        path: String,
        _ unknown: inout [String],
        _ wrong: inout [String]
    ) -> [String: JSONValue] {
        var checked: [String: JSONValue] = [:]
        for (key, value) in object.sorted(by: { $0.key < $1.key }) {
            let name = key.lowercased()
            let full = path.isEmpty ? key : "\(path).\(key)"
            guard let kind = known[name] else {
                unknown.append(full)
                continue
            }
            if case .null = value { continue }
            if case .group(let inner) = kind {
                guard case .object(let object) = value else {
                    wrong.append("'\(full)' expected a map, got '\(value.typeName)'")
                    continue
                }
                checked[name] = .object(
                    check(object, inner, path: full, &unknown, &wrong)
                )
            } else if let fitting = fit(value, kind) {
                checked[name] = name == "service" || name == "check" ? .array([fitting]) : fitting
            } else {
                wrong.append(
                    "'\(full)' expected type '\(kind.typeName)', "
                        + "got unconvertible type '\(value.typeName)'"
                )
            }
        }
        return checked
    }

    private static func fit(_ value: JSONValue, _ kind: OptionKind) -> JSONValue? {
        switch (kind, value) {
        case (.any, _), (.text, .string), (.flag, .bool), (.number, .integer),
            (.fraction, .integer), (.fraction, .double), (.duration, .string):
            return value
        case (.text, .integer(let number)): return .string(String(number))
        case (.duration, .integer): return value
        case (.texts, .string): return .array([value])
        case (.texts, .array(let values)):
            let isText = values.allSatisfy { if case .string = $0 { true } else { false } }
            return isText ? value : nil
        case (.textMap, .object(let values)):
            var texts: [String: JSONValue] = [:]
            for (name, inner) in values {
                switch inner {
                case .string: texts[name] = inner
                case .integer(let number): texts[name] = .string(String(number))
                case .bool(let flag): texts[name] = .string(String(flag))
                default: return nil
                }
            }
            return .object(texts)
        default: return nil
        }
    }
}

extension OptionKind {
    fileprivate var typeName: String {
        switch self {
        case .text, .duration: "string"
        case .number: "int"
        case .fraction: "float64"
        case .flag: "bool"
        case .texts: "[]string"
        case .textMap: "map[string]string"
        case .any, .group: "map"
        }
    }
}

extension JSONValue {
    fileprivate var typeName: String {
        switch self {
        case .null: "nil"
        case .bool: "bool"
        case .integer, .double: "float64"
        case .string: "string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }
}
