import Model
import Wire

/// Typed access to merged options; the first wrong value is kept as the error.
struct ConfigurationReader {
    private let values: [String: JSONValue]
    private let path: String

    init(_ values: [String: JSONValue], path: String = "") {
        self.values = values
        self.path = path
    }

    func group(_ name: String) -> ConfigurationReader {
        guard case .object(let inner)? = values[name] else {
            return ConfigurationReader([:], path: name)
        }
        return ConfigurationReader(inner, path: name)
    }

    func text(_ name: String, _ target: inout String) {
        if case .string(let text)? = values[name] { target = text }
    }

    func flag(_ name: String, _ target: inout Bool) {
        if case .bool(let flag)? = values[name] { target = flag }
    }

    func number(_ name: String, _ target: inout Int) {
        if case .integer(let number)? = values[name] { target = Int(number) }
    }

    func seconds(_ name: String, _ target: inout Duration) {
        if case .integer(let number)? = values[name] { target = .seconds(number) }
    }

    /// A text such as `10s`, or nanoseconds.
    func duration(_ name: String, _ target: inout Duration) throws(StartError) {
        guard contains(name) else { return }
        var value = Nanoseconds.zero
        try duration(name, &value)
        target = value.duration
    }

    /// A text such as `10s`, or nanoseconds.
    func duration(_ name: String, _ target: inout Nanoseconds) throws(StartError) {
        switch values[name] {
        case .integer(let number)?: target = Nanoseconds(rawValue: number)
        case .string(let text)?:
            guard let duration = GoDuration.parse(text) else {
                throw StartError("\(full(name)): invalid duration: \(GoQuote.quote(text))")
            }
            target = duration
        default: break
        }
    }

    func texts(_ name: String) -> [String] {
        guard case .array(let list)? = values[name] else { return [] }
        return list.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }

    func textMap(_ name: String) -> [String: String] {
        guard case .object(let pairs)? = values[name] else { return [:] }
        return pairs.compactMapValues { if case .string(let text) = $0 { text } else { nil } }
    }

    func list(_ name: String) -> [JSONValue] {
        switch values[name] {
        case .array(let list)?: list
        case .some(let single): [single]
        case nil: []
        }
    }

    /// Addresses separated by spaces.
    func addresses(_ name: String) -> [String]? {
        guard case .string(let text)? = values[name] else { return nil }
        return text.split(separator: " ").map(String.init)
    }

    func contains(_ name: String) -> Bool { values[name] != nil }

    /// The option's name with that of its group.
    func full(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
