/// A status code with its standard reason.
package struct Status: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    package static let ok = Status(rawValue: 200)
    package static let movedPermanently = Status(rawValue: 301)
    package static let badRequest = Status(rawValue: 400)
    package static let unauthorized = Status(rawValue: 401)
    package static let forbidden = Status(rawValue: 403)
    package static let notFound = Status(rawValue: 404)
    package static let methodNotAllowed = Status(rawValue: 405)
    package static let conflict = Status(rawValue: 409)
    package static let tooLarge = Status(rawValue: 413)
    package static let unsupportedMediaType = Status(rawValue: 415)
    package static let tooManyRequests = Status(rawValue: 429)
    package static let headersTooLarge = Status(rawValue: 431)
    package static let internalError = Status(rawValue: 500)
    package static let notImplemented = Status(rawValue: 501)
    package static let unavailable = Status(rawValue: 503)

    package var reason: String {
        switch rawValue {
        case 200: "OK"
        case 301: "Moved Permanently"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        case 413: "Request Entity Too Large"
        case 415: "Unsupported Media Type"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        default: "Status"
        }
    }
}

/// An answer, before it has been written as HTTP.
package struct Reply: Sendable {
    /// What the body is; decides the content type and whether `pretty` applies.
    package enum Kind: Hashable, Sendable {
        /// Compact JSON; `pretty` indents it.
        case json
        /// Text whose type the server names last, as Go does for what it had to sniff.
        case text
        /// A type that the handler names itself in `headers`, or none for an empty body.
        case other
    }

    package var status: Status
    /// Canonical names; written in the order of the names.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    package var kind: Kind
    /// The connection ends after this reply.
    package var closes = false
    /// Consul's handlers announce `Vary`; its router's own replies do not.
    package var varies = true

    package init(
        _ status: Status,
        kind: Kind = .other,
        body: [UInt8] = [],
        headers: [(name: String, value: String)] = []
    ) {
        self.status = status
        self.kind = kind
        self.body = body
        self.headers = headers
    }

    /// Compact JSON with status 200.
    package static func json(_ body: [UInt8]) -> Reply {
        Reply(.ok, kind: .json, body: body)
    }

    /// JSON `true` or `false` with status 200.
    package static func json(_ condition: Bool) -> Reply {
        Reply(.ok, kind: .json, body: condition ? trueText : Array("false".utf8))
    }

    /// A plain text, as errors are; no line feed is added.
    package static func text(_ status: Status, _ message: String) -> Reply {
        Reply(status, kind: .text, body: Array(message.utf8))
    }

    /// A status without a body.
    package static func empty(_ status: Status) -> Reply {
        Reply(status)
    }

    /// True for what `json(true)` makes.
    var isAcknowledgement: Bool {
        status == .ok && kind == .json && varies && !closes && headers.isEmpty
            && body == Reply.trueText
    }

    private static let trueText = Array("true".utf8)

    package mutating func setHeader(_ name: String, _ value: String) {
        headers.removeAll { $0.name == name }
        headers.append((name, value))
    }
}

/// A refusal that a handler may throw: its status and the text clients see.
package struct HTTPError: Error, Hashable, Sendable {
    package var status: Status
    package var message: String

    package init(_ status: Status, _ message: String) {
        self.status = status
        self.message = message
    }

    package static func badRequest(_ message: String) -> HTTPError {
        HTTPError(.badRequest, message)
    }

    /// What Consul answers when a handler failed: status 500 and the error's text.
    package static func failed(_ message: String) -> HTTPError {
        HTTPError(.internalError, message)
    }

    package var reply: Reply {
        .text(status, message)
    }
}
