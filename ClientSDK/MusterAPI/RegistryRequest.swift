/// A request as it is sent: for calls that the typed functions do not cover.
public struct RegistryRequest: Sendable {
    /// The HTTP method.
    public var method: String

    /// The path, percent-encoded, from `/v1` on.
    public var path: String

    /// The query parameters in their order, unencoded; one without a value has nil.
    public var query: [(name: String, value: String?)]

    /// Further headers.
    public var headers: [(name: String, value: String)]

    /// The body, nil for none.
    public var body: [UInt8]?

    /// The token, instead of the client's.
    public var token: String?

    /// How long the answer may take; nil is the client's setting.
    public var timeout: Duration?

    /// Whether it is one of a loop of queries that the registry may hold back.
    ///
    /// Such requests, the first of a loop included, have connections of their own, and the client
    /// does not repeat them: the loop does.
    public var isWatch: Bool

    /// Whether 429 and 503 are answers of the endpoint, and no refusals.
    var answersWithAnyStatus = false

    /// Makes a request.
    ///
    /// - Parameters:
    ///   - method: The HTTP method.
    ///   - path: The percent-encoded path; see ``encode(_:)`` for its parts.
    ///   - query: The query parameters.
    ///   - headers: Further headers.
    ///   - body: The body.
    public init(
        _ method: String,
        _ path: String,
        query: [(name: String, value: String?)] = [],
        headers: [(name: String, value: String)] = [],
        body: [UInt8]? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        token = nil
        timeout = nil
        isWatch = false
    }

    /// Makes a request that reads.
    ///
    /// - Parameter path: The percent-encoded path.
    public init(_ path: String) {
        self.init("GET", path)
    }

    /// Percent-encodes a name for use in a path; slashes stay as they are.
    public static func encode(_ part: String) -> String {
        percentEncode(part) { byte in
            isUnreserved(byte) || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":")
        }
    }

    /// Path and query string.
    public var target: String {
        guard !query.isEmpty else { return path }
        let parts = query.map { name, value in
            let name = Self.percentEncode(name, keeping: Self.isUnreserved)
            guard let value else { return name }
            return name + "=" + Self.percentEncode(value, keeping: Self.isUnreserved)
        }
        return path + "?" + parts.joined(separator: "&")
    }

    /// Adds a parameter unless its value is nil.
    mutating func add(_ name: String, _ value: String?) {
        if let value { query.append((name, value)) }
    }

    /// Adds a parameter without a value when `condition` holds.
    mutating func flag(_ name: String, _ condition: Bool) {
        if condition { query.append((name, nil)) }
    }

    /// - Source: RFC 3986 §2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// Percent-encodes every byte that `keeping` does not keep.
    static func percentEncode(_ text: String, keeping: (UInt8) -> Bool) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if keeping(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Encodes a socket's path so that it can stand where a URL has its host.
    static func encodeSocketPath(_ path: String) -> String {
        percentEncode(path, keeping: isUnreserved)
    }
}

/// An answer as it came.
public struct RegistryReply: Sendable {
    /// The HTTP status.
    public var status: Int

    /// The headers in their order.
    public var headers: [(name: String, value: String)]

    /// The body.
    public var body: [UInt8]

    /// The first header of that name, whatever its case.
    public func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }

    /// Whether the status says success.
    public var isSuccess: Bool { (200..<300).contains(status) }

    /// Reads the body as JSON.
    ///
    /// - Parameter type: What it holds.
    /// - Returns: The value.
    /// - Throws: ``MusterError`` with code `invalidResponse` when the body is something else.
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        do {
            return try JSONCoding.decode(type, from: body)
        } catch {
            throw MusterError(
                code: .invalidResponse,
                message: "the answer is not what this request is answered with",
                status: status,
                body: String(decoding: body.prefix(Limits.errorBodyBytes), as: UTF8.self),
                cause: error
            )
        }
    }
}
