package import NIOCore
package import NIOHTTP1

/// What a handler gives back: an answer, a read to be evaluated, or the promise of an answer.
package enum Outcome {
    case reply(Reply)
    /// Evaluated by the connection, which also lets it wait and keeps its reply.
    case read(ReadQuery)
    /// The closure starts the work on the event loop; the responder is answered once, later.
    case pending((Responder) -> Void)
}

/// A handler runs on the connection's event loop and must not block.
package typealias Handler =
    @Sendable (_ request: Request, _ context: RequestContext) throws(HTTPError) -> Outcome

/// What handlers may use besides the request.
package struct RequestContext {
    package let services: APIServices
    package let eventLoop: any EventLoop
    /// What this event loop keeps: prepared replies and parked queries.
    let loop: LoopState
    /// The body of a route that takes uploads; the request's own is empty then.
    var upload: BodySpool?
}

/// One method of a route.
package struct Endpoint: Sendable {
    package let method: HTTPMethod
    package let requirement: Requirement
    /// Bytes of the body it accepts; nil means `HTTPLimits.requestBodyBytes`.
    package let bodyLimit: BodyLimit
    package let handler: Handler

    /// Which of the limits bounds the body.
    package enum BodyLimit: Sendable {
        case standard
        case keyValue
        case transaction
        /// The body goes to a file: `Request.upload`.
        case upload
    }
}

/// One path, or everything below one path, with what each method does there.
package struct Route: Sendable {
    /// An exact path, or a prefix that ends in `/`.
    package let pattern: String
    /// In the order in which `Allow` names the methods.
    package private(set) var endpoints: [Endpoint] = []

    package init(_ pattern: String) {
        self.pattern = pattern
    }

    package var isPrefix: Bool { pattern.utf8.last == UInt8(ascii: "/") }

    /// The value of the `Allow` field.
    ///
    /// - Source: Consul: `OPTIONS /v1/…` answers `OPTIONS,GET,…`.
    package var allow: String {
        (["OPTIONS"] + endpoints.map(\.method.rawValue)).joined(separator: ",")
    }

    package func endpoint(for method: HTTPMethod) -> Endpoint? {
        endpoints.first { $0.method == method }
    }

    /// Adds what `method` does, and what it needs.
    package mutating func on(
        _ method: HTTPMethod,
        _ requirement: Requirement,
        bodyLimit: Endpoint.BodyLimit = .standard,
        _ handler: @escaping Handler
    ) {
        endpoints.append(
            Endpoint(
                method: method,
                requirement: requirement,
                bodyLimit: bodyLimit,
                handler: handler
            )
        )
    }
}
