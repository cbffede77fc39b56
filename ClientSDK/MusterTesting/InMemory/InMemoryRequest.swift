import MusterAPI

/// A request in its parts, decoded.
struct InMemoryRequest {
    let method: String
    /// The decoded path after `/v1/`.
    let path: String
    let body: [UInt8]
    private let parameters: [(name: String, value: String)]

    init(_ request: ScriptedRequest) {
        self.init(method: request.method, target: request.target, body: request.bytes)
    }

    init(method: String, target: String, body: [UInt8] = []) {
        self.method = method
        self.body = body
        let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = Self.decode(halves[0], plusIsSpace: false)
        self.path = path.hasPrefix("/v1/") ? String(path.dropFirst(4)) : path
        parameters = (halves.count > 1 ? halves[1] : "").split(separator: "&").map { part in
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                Self.decode(pair[0], plusIsSpace: true),
                pair.count > 1 ? Self.decode(pair[1], plusIsSpace: true) : ""
            )
        }
    }

    /// The first value of a parameter; empty when it has none, nil when it is absent.
    subscript(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// All values of a parameter.
    func all(_ name: String) -> [String] {
        parameters.filter { $0.name == name }.map(\.value)
    }

    func has(_ name: String) -> Bool { self[name] != nil }

    /// The rest of the path after `prefix`, nil when it begins otherwise.
    func rest(after prefix: String) -> String? {
        path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : nil
    }

    /// A parameter that is a number; nil when it is absent.
    func number(_ name: String) throws -> UInt64? {
        guard let text = self[name] else { return nil }
        guard let number = UInt64(text) else {
            throw InMemoryRefusal(400, "Invalid \(name): \"\(text)\"")
        }
        return number
    }

    /// How long a blocking query may wait.
    func wait() throws -> Duration {
        guard let text = self["wait"], !text.isEmpty else { return .seconds(300) }
        guard let wait = Self.duration(text) else {
            throw InMemoryRefusal(400, "Invalid wait time")
        }
        return min(wait, .seconds(600))
    }

    /// The body as a value.
    func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
        do {
            return try JSONText.decode(type, from: body)
        } catch {
            throw InMemoryRefusal(400, "Request decode failed: \(error)")
        }
    }

    /// Reads a duration as Go writes it, like `1m30s` or `500ms`; nil when it is none.
    private static func duration(_ text: String) -> Duration? {
        let units: [String: Duration] = [
            "ns": .nanoseconds(1), "us": .microseconds(1), "ms": .milliseconds(1),
            "s": .seconds(1), "m": .seconds(60), "h": .seconds(3600),
        ]
        var rest = text[...]
        var total = Duration.zero
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let name = rest.prefix { !$0.isNumber }
            rest = rest.dropFirst(name.count)
            guard let value = Double(number), value < 1e9, let unit = units[String(name)] else {
                return nil
            }
            total += unit * value
        }
        return total
    }

    private static func decode(_ text: Substring, plusIsSpace: Bool) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
