public import MusterBalancing

/// What a scripted registry answers.
public struct ScriptedReply: Sendable {
    /// How a reply reaches the one who asked.
    enum Delivery: Sendable, Equatable {
        /// As it should be.
        case whole
        /// The length promises all of it, the connection ends after so many bytes of the body.
        case half(bytes: Int)
        /// The connection is closed before a word is said.
        case hangUp
        /// Nothing ever comes, and the connection stays open.
        case silence
    }

    /// The HTTP status.
    public var status: Int
    /// The headers, `Content-Length` aside.
    public var headers: [(String, String)]
    /// The body's bytes.
    public var bytes: [UInt8]
    var delivery = Delivery.whole

    /// The body as text; bytes that are not UTF-8 are replaced.
    public var body: String {
        get { String(decoding: bytes, as: UTF8.self) }
        set { bytes = Array(newValue.utf8) }
    }

    /// Makes a reply with the header `X-Consul-Index` when there is an index.
    public init(_ status: Int = 200, index: UInt64? = nil, _ body: String = "") {
        self.init(status, index: index, bytes: Array(body.utf8))
    }

    /// Makes a reply from bytes.
    public init(_ status: Int = 200, index: UInt64? = nil, bytes: [UInt8]) {
        self.status = status
        headers = index.map { [("X-Consul-Index", String($0))] } ?? []
        self.bytes = bytes
    }

    /// No reply ever: the request hangs until the other side gives up.
    public static var silence: ScriptedReply {
        var reply = ScriptedReply()
        reply.delivery = .silence
        return reply
    }

    /// No reply, and the connection is closed.
    public static var hangUp: ScriptedReply {
        var reply = ScriptedReply()
        reply.delivery = .hangUp
        return reply
    }

    /// The registry has too much to do: status 429.
    public static var tooMany: ScriptedReply {
        ScriptedReply(429, "Your IP is issuing too many concurrent connections")
    }

    /// The registry has no leader: status 503.
    public static var unavailable: ScriptedReply {
        ScriptedReply(503, "No cluster leader")
    }

    /// This reply, broken off in the middle of its body although its length promises all of it.
    ///
    /// - Parameter bytes: How much of the body is sent; nil is half of it.
    /// - Returns: The broken reply.
    public func cutOff(after bytes: Int? = nil) -> ScriptedReply {
        var reply = self
        reply.delivery = .half(bytes: min(bytes ?? self.bytes.count / 2, self.bytes.count))
        return reply
    }

    /// An answer to `/v1/health/service/…` that lists `instances`, in their order.
    ///
    /// An instance given twice is listed twice. Each has one check, in the instance's health.
    ///
    /// - Parameters:
    ///   - instances: What is listed.
    ///   - service: The service's name.
    ///   - index: The registry's index of the answer.
    /// - Returns: The reply.
    public static func instances(
        _ instances: [Instance],
        of service: String,
        index: UInt64
    ) -> ScriptedReply {
        let entries = instances.map { $0.entry(of: service) }
        return ScriptedReply(200, index: index, bytes: JSONText.encode(entries))
    }
}

extension ScriptedReply {
    /// The value of the header `X-Consul-Index`.
    var index: UInt64? {
        get { headers.first { $0.0 == Self.indexName }.flatMap { UInt64($0.1) } }
        set {
            headers.removeAll { $0.0 == Self.indexName }
            if let newValue { headers.append((Self.indexName, String(newValue))) }
        }
    }

    private static let indexName = "X-Consul-Index"
}
