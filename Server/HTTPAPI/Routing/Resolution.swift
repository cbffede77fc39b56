import NIOCore
import NIOHTTP1

/// What a request's target and method lead to, found before its body arrives.
///
/// - Source: Go net/http ServeMux (cleaned paths are redirected), Consul's `http.go` as observed.
enum Resolution {
    case endpoint(Endpoint, path: String, rest: String, query: QueryParameters)
    /// Answered without a handler.
    case refused(Reply)

    init(of method: HTTPMethod, _ target: String, in routes: RouteTable) {
        if target.isPlainPath {
            self = Resolution.route(target, Substring("").utf8, method, routes)
            return
        }
        let (rawPath, rawQuery) = Resolution.split(target)
        guard let path = PercentCoding.decode(rawPath) else {
            var reply = Reply.text(.badRequest, "400 Bad Request")
            reply.varies = false
            reply.closes = true
            self = .refused(reply)
            return
        }
        if path == "*", method == .OPTIONS {
            self = .refused(Resolution.unrouted(.ok))
        } else if !path.isPrintable {
            self = .refused(Resolution.unrouted(.badRequest))
        } else if let clean = Resolution.cleaned(path) {
            let query = rawQuery.isEmpty ? "" : "?" + String(Substring(rawQuery))
            self = .refused(Resolution.redirect(to: clean, query: query, method: method))
        } else {
            self = Resolution.route(path, rawQuery, method, routes)
        }
    }

    private static func route(
        _ path: String,
        _ rawQuery: Substring.UTF8View,
        _ method: HTTPMethod,
        _ routes: RouteTable
    ) -> Resolution {
        switch routes.match(path) {
        case .route(let route, let rest):
            return choose(routes, route, path, rest, method, rawQuery)
        case .needsSlash:
            let query = rawQuery.isEmpty ? "" : "?" + String(Substring(rawQuery))
            return .refused(redirect(to: path + "/", query: query, method: method))
        case .nothing:
            guard path == "/", !routes.hasPrefix("/ui/") else {
                return .refused(unrouted(.notFound))
            }
            var reply = Reply.text(.ok, "Consul Agent")
            reply.varies = false
            return .refused(reply)
        }
    }

    private static func choose(
        _ routes: RouteTable,
        _ route: Route,
        _ path: String,
        _ rest: String,
        _ method: HTTPMethod,
        _ rawQuery: Substring.UTF8View
    ) -> Resolution {
        if routes.blocks(path) {
            let text = "Endpoint is blocked by agent configuration"
            return .refused(.text(.forbidden, text))
        }
        let query = QueryParameters(parsing: rawQuery)
        // As observed: a broken escape fails the request without a word.
        guard !query.isBroken else { return .refused(.empty(.internalError)) }
        if method == .OPTIONS {
            return .refused(Reply(.ok, headers: [("Allow", route.allow)]))
        }
        guard let endpoint = route.endpoint(for: method) else {
            var reply = Reply.text(.methodNotAllowed, "method \(method.rawValue) not allowed")
            reply.setHeader("Allow", route.allow)
            return .refused(reply)
        }
        return .endpoint(endpoint, path: path, rest: rest, query: query)
    }

    /// The answer to a head whose method the decoder does not know: what any route says to a method
    /// it does not have.
    static func reply(toUnknownMethodIn head: ByteBuffer?, _ routes: RouteTable) -> Reply? {
        guard let head, let line = String(buffer: head).split(separator: "\r\n").first else {
            return nil
        }
        let parts = line.split(separator: " ")
        guard parts.count == 3, parts[2].hasPrefix("HTTP/1."), parts[0].count <= 32,
            parts[0].utf8.allSatisfy({ $0 >= 0x41 && $0 <= 0x5A })
        else { return nil }
        let method = HTTPMethod.RAW(value: String(parts[0]))
        let target = String(parts[1])
        guard case .refused(let reply) = Resolution(of: method, target, in: routes) else {
            return nil
        }
        return reply
    }

    /// Runs the handler, or gives the answer that needs none.
    func handle(
        _ method: HTTPMethod,
        _ target: String,
        _ headers: HTTPHeaders,
        _ body: ByteBuffer,
        _ context: RequestContext
    ) -> Outcome {
        guard case .endpoint(let endpoint, let path, let rest, let query) = self else {
            guard case .refused(let reply) = self else { return .reply(.empty(.notFound)) }
            return .reply(reply)
        }
        let request = Request(
            method: method,
            target: target,
            path: path,
            rest: rest,
            query: query,
            headers: headers,
            body: body
        )
        let authorizer = context.services.authorizer
        let requirement = endpoint.requirement
        guard
            requirement == .open
                || authorizer.allows(requirement, token: request.token, name: rest)
        else { return .reply(.text(.forbidden, "Permission denied")) }
        do {
            return try endpoint.handler(request, context)
        } catch {
            return .reply(error.reply)
        }
    }

    /// Whether the body goes to a file.
    var takesUpload: Bool {
        guard case .endpoint(let endpoint, _, _, _) = self else { return false }
        return endpoint.bodyLimit == .upload
    }

    func bodyLimit(_ limits: HTTPLimits) -> Int {
        guard case .endpoint(let endpoint, _, _, _) = self else { return limits.requestBodyBytes }
        switch endpoint.bodyLimit {
        case .standard: return limits.requestBodyBytes
        case .keyValue: return limits.keyValueBytes
        case .transaction: return limits.transactionBytes
        case .upload: return limits.uploadBytes
        }
    }

    /// The text for a body over its limit, which names the option that sets it.
    func tooLargeText(size: Int, limit: Int) -> String {
        let page = "https://www.consul.io/docs/agent/options.html"
        var option = ""
        if case .endpoint(let endpoint, _, _, _) = self {
            switch endpoint.bodyLimit {
            case .standard, .upload: break
            case .keyValue: option = " See \(page)#kv_max_value_size."
            case .transaction: option = " See \(page)#txn_max_req_len."
            }
        }
        return "Request body(\(size) bytes) too large, max size: \(limit) bytes.\(option)"
    }

    /// The path and the query of a target; an absolute target loses its scheme and host.
    private static func split(_ uri: String) -> (Substring.UTF8View, Substring.UTF8View) {
        var path = Substring(uri).utf8
        if uri.utf8.first != UInt8(ascii: "/"), let scheme = uri.range(ofScheme: "://") {
            let host = path[scheme...]
            path = host.firstIndex(of: UInt8(ascii: "/")).map { host[$0...] } ?? Substring("/").utf8
        }
        guard let mark = path.firstIndex(of: UInt8(ascii: "?")) else {
            return (path, Substring("").utf8)
        }
        return (path[..<mark], path[path.index(after: mark)...])
    }

    private static func unrouted(_ status: Status) -> Reply {
        var reply = Reply.empty(status)
        reply.varies = false
        return reply
    }

    /// The path without empty, `.` and `..` segments, or nil when it has none.
    ///
    /// - Source: Go net/http cleanPath.
    private static func cleaned(_ path: String) -> String? {
        if isClean(path.utf8) { return nil }
        var kept: [Substring] = []
        var isClean = path.utf8.first == UInt8(ascii: "/")
        let segments = path.dropFirst(isClean ? 1 : 0)
            .split(separator: "/", omittingEmptySubsequences: false)
        for (position, segment) in segments.enumerated() {
            let isLast = position == segments.count - 1
            if segment.isEmpty {
                if !isLast { isClean = false }
            } else if segment == "." {
                isClean = false
            } else if segment == ".." {
                isClean = false
                _ = kept.popLast()
            } else {
                kept.append(segment)
            }
        }
        guard !isClean else { return nil }
        let ends = path.utf8.last == UInt8(ascii: "/") && !kept.isEmpty
        return "/" + kept.joined(separator: "/") + (ends ? "/" : "")
    }

    /// True when no segment can need cleaning, which is nearly always.
    private static func isClean(_ path: String.UTF8View) -> Bool {
        var afterSlash = false
        guard path.first == UInt8(ascii: "/") else { return false }
        for byte in path {
            let isSlash = byte == UInt8(ascii: "/")
            if afterSlash, isSlash || byte == UInt8(ascii: ".") { return false }
            afterSlash = isSlash
        }
        return true
    }

    private static func redirect(to path: String, query: String, method: HTTPMethod) -> Reply {
        let location = PercentCoding.encodePath(path) + query
        var reply = Reply(.movedPermanently, headers: [("Location", location)])
        reply.varies = false
        if method == .GET || method == .HEAD {
            let escaped = location.escapedForHTML
            reply.setHeader("Content-Type", "text/html; charset=utf-8")
            reply.body = Array("<a href=\"\(escaped)\">Moved Permanently</a>.\n\n".utf8)
        }
        return reply
    }
}

extension String {
    /// Where what follows `mark` begins, when `mark` is there.
    fileprivate func range(ofScheme mark: String) -> String.Index? {
        let bytes = Array(mark.utf8)
        var position = utf8.startIndex
        while position < utf8.endIndex {
            if utf8[position...].starts(with: bytes) {
                return utf8.index(position, offsetBy: bytes.count)
            }
            if utf8[position] == UInt8(ascii: "/") || utf8[position] == UInt8(ascii: "?") {
                return nil
            }
            position = utf8.index(after: position)
        }
        return nil
    }

    /// True when this is a target without a query whose path says itself, clean and unescaped.
    fileprivate var isPlainPath: Bool {
        var text = self
        return text.withUTF8 { text in
            guard text.first == UInt8(ascii: "/") else { return false }
            var before = UInt8(ascii: " ")
            for byte in text {
                guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%"),
                    byte != UInt8(ascii: "?")
                else { return false }
                if before == UInt8(ascii: "/"),
                    byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".")
                {
                    return false
                }
                before = byte
            }
            return true
        }
    }

    fileprivate var escapedForHTML: String {
        var text = ""
        for character in unicodeScalars {
            switch character {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&#34;"
            case "'": text += "&#39;"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }

    /// Whether every character is a letter, mark, number, punctuation, symbol or the plain space.
    ///
    /// - Source: Go unicode.IsPrint, as Consul's filter of unprintable paths applies it.
    fileprivate var isPrintable: Bool {
        if utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return true }
        return unicodeScalars.allSatisfy { scalar in
            if scalar == " " { return true }
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
                .paragraphSeparator, .spaceSeparator:
                return false
            default: return true
            }
        }
    }
}
