import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Wire

/// Asks a URL: 2xx passes, 429 warns, everything else is critical.
///
/// Every run opens its own connection, follows redirects, and ends within its time-out.
/// - Source: Consul: docs/discovery/checks "HTTP + Interval".
struct HTTPProbe: Probe {
    let definition: CheckRegistration
    let outputLimit: Int
    let timeout: TimeAmount
    let redirects: Int
    let contexts: TLSContexts

    func run(on eventLoop: any EventLoop, _ completion: @escaping @Sendable (Verdict) -> Void) {
        let url = definition.proxyHTTP.isEmpty ? definition.http : definition.proxyHTTP
        let method = definition.method.isEmpty ? "GET" : definition.method
        let exchange = HTTPExchange(probe: self, eventLoop: eventLoop) { outcome in
            completion(verdict(of: outcome, method: method, url: url))
        }
        exchange.begin(method: method, url: url)
    }

    private func verdict(of outcome: HTTPExchange.Outcome, method: String, url: String) -> Verdict {
        switch outcome {
        case .failed(let reason):
            let name = method.prefix(1).uppercased() + method.dropFirst().lowercased()
            return Verdict(.critical, "\(name) \"\(url)\": \(reason)")
        case .answered(let code, let reason, let body):
            let text = "HTTP \(method) \(url): \(code) \(reason) Output: \(body)"
            switch code {
            case 200..<300: return Verdict(.passing, text)
            case 429: return Verdict(.warning, text)
            default: return Verdict(.critical, text)
            }
        }
    }
}

/// One run of an HTTP check: requests until an answer that is no redirect.
final class HTTPExchange {
    enum Outcome: Sendable {
        case answered(code: UInt, reason: String, body: String)
        case failed(String)
    }

    private let probe: HTTPProbe
    private let eventLoop: any EventLoop
    private var completion: ((Outcome) -> Void)?
    private var redirectsLeft: Int
    private var channel: (any Channel)?
    private var deadline: Scheduled<Void>?

    init(
        probe: HTTPProbe,
        eventLoop: any EventLoop,
        completion: @escaping (Outcome) -> Void
    ) {
        self.probe = probe
        self.eventLoop = eventLoop
        self.completion = completion
        redirectsLeft = probe.redirects
    }

    /// Starts; the completion is called once, within the probe's time-out.
    func begin(method: String, url: String) {
        deadline = eventLoop.assumeIsolated().scheduleTask(in: probe.timeout) {
            self.finish(
                .failed(
                    "context deadline exceeded "
                        + "(Client.Timeout exceeded while awaiting headers)"
                )
            )
        }
        request(method: method, url: url)
    }

    private func request(method: String, url: String) {
        guard let target = HTTPTarget(url) else {
            return finish(.failed("unsupported protocol scheme or malformed URL"))
        }
        let head = Self.head(method: method, target: target, definition: probe.definition)
        let body = method == "GET" || method == "HEAD" ? "" : probe.definition.body
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let limit = probe.outputLimit
        let contexts = probe.contexts
        let skipsVerification = probe.definition.tlsSkipVerify
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(probe.timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if target.isSecure {
                        let context = try contexts.context(skipsVerification: skipsVerification)
                        let handler = try NIOSSLClientHandler(
                            context: context,
                            serverHostname: target.endpoint.isLiteral ? nil : target.endpoint.host
                        )
                        try pipeline.addHandler(handler)
                    }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(
                        AnswerCollector(head: head, body: body, limit: limit) { answer in
                            bound.value.take(answer, from: target, method: method)
                        }
                    )
                }
            }
        target.endpoint.connect(with: bootstrap).hop(to: eventLoop).whenComplete { result in
            bound.value.connected(result, target: target)
        }
    }

    private func connected(_ result: Result<any Channel, any Error>, target: HTTPTarget) {
        switch result {
        case .success(let channel):
            if completion == nil { channel.close(promise: nil) } else { self.channel = channel }
        case .failure(let error):
            finish(.failed(DialError.text(error, endpoint: target.endpoint)))
        }
    }

    private func take(
        _ answer: Result<AnswerCollector.Answer, AnswerCollector.Failure>,
        from target: HTTPTarget,
        method: String
    ) {
        guard completion != nil else { return }
        switch answer {
        case .failure(let failure):
            let text = failure.cause.map {
                DialError.readText($0, endpoint: target.endpoint)
            }
            finish(.failed(text ?? "EOF"))
        case .success(let answer):
            guard let location = answer.redirect else {
                return finish(
                    .answered(code: answer.code, reason: answer.reason, body: answer.body)
                )
            }
            guard redirectsLeft > 0 else {
                return finish(.failed("stopped after \(probe.redirects) redirects"))
            }
            redirectsLeft -= 1
            channel?.close(promise: nil)
            channel = nil
            let keepsMethod = answer.code == 307 || answer.code == 308 || method == "HEAD"
            request(method: keepsMethod ? method : "GET", url: target.resolving(location))
        }
    }

    private func finish(_ outcome: Outcome) {
        guard let completion else { return }
        self.completion = nil
        deadline?.cancel()
        channel?.close(promise: nil)
        channel = nil
        completion(outcome)
    }

    private static func head(
        method: String,
        target: HTTPTarget,
        definition: CheckRegistration
    ) -> HTTPRequestHead {
        var headers = HTTPHeaders()
        var host = target.authority
        for (name, values) in (definition.header ?? [:]).sorted(by: { $0.key < $1.key }) {
            if name.lowercased() == "host" {
                host = values.first ?? host
            } else {
                for value in values { headers.add(name: name, value: value) }
            }
        }
        headers.replaceOrAdd(name: "Host", value: host)
        if !headers.contains(name: "User-Agent") {
            headers.add(name: "User-Agent", value: "Consul Health Check")
        }
        if !headers.contains(name: "Accept") {
            headers.add(name: "Accept", value: "text/plain, text/*, */*")
        }
        if !target.credentials.isEmpty, !headers.contains(name: "Authorization") {
            let encoded = Base64.encode(Array(target.credentials.utf8))
            headers.add(name: "Authorization", value: "Basic \(encoded)")
        }
        headers.replaceOrAdd(name: "Connection", value: "close")
        if method != "GET", method != "HEAD" {
            headers.replaceOrAdd(
                name: "Content-Length",
                value: String(definition.body.utf8.count)
            )
        }
        return HTTPRequestHead(
            version: .http1_1,
            method: HTTPMethod(rawValue: method),
            uri: target.pathAndQuery,
            headers: headers
        )
    }
}
