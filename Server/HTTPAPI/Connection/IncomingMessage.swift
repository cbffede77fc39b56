import NIOCore
import NIOHTTP1

/// A request while its body arrives.
struct IncomingMessage {
    let head: HTTPRequestHead
    let headBytes: ByteBuffer?
    let resolution: Resolution
    /// Nil when the body comes in chunks: then only its end tells.
    let announcedLength: Int?
    private(set) var body = ByteBuffer()
    /// Where the body goes on routes that take uploads.
    let upload: BodySpool?
    /// The answer to a request that is refused whatever its body is.
    private(set) var refusal: Reply?
    private let bodyLimit: Int

    init(head: HTTPRequestHead, loop: LoopState, headBytes: ByteBuffer?) {
        self.head = head
        self.headBytes = headBytes
        resolution = Resolution(of: head.method, head.uri, in: loop.routes)
        let limits = loop.services.limits
        bodyLimit = resolution.bodyLimit(limits)
        let isChunked = head.headers.contains(name: "Transfer-Encoding")
        let length = head.headers.first(name: "Content-Length").flatMap { Int($0) }
        announcedLength = isChunked ? nil : length ?? 0
        refusal = IncomingMessage.flaw(of: head)
        upload =
            resolution.takesUpload
            ? BodySpool(eventLoop: loop.eventLoop, directory: limits.uploadDirectory) : nil
        if refusal == nil, let announcedLength, announcedLength > bodyLimit {
            refuse(size: announcedLength)
        }
    }

    /// The client waits for a go-ahead before it sends the body.
    var wantsContinue: Bool {
        refusal == nil && announcedLength != 0
            && head.headers.first(name: "Expect")?.lowercased() == "100-continue"
    }

    /// Refused before its end was seen: it is answered now, and the connection ends.
    var isRefusedEarly: Bool { refusal?.closes == true }

    mutating func append(_ bytes: ByteBuffer) {
        guard refusal == nil else { return }
        let size = (upload?.size ?? body.readableBytes) + bytes.readableBytes
        guard size <= bodyLimit else { return refuse(size: size) }
        if let upload { return upload.append(bytes) }
        if body.readableBytes == 0 {
            body = bytes
        } else {
            body.writeImmutableBuffer(bytes)
        }
    }

    private mutating func refuse(size: Int) {
        body = ByteBuffer()
        var reply = Reply.text(
            .tooLarge,
            resolution.tooLargeText(size: size, limit: bodyLimit)
        )
        reply.closes = true
        refusal = reply
    }

    /// What is wrong with a head that the decoder let pass.
    ///
    /// - Source: RFC 9112 §3.2, observed on Consul 1.8.7.
    private static func flaw(of head: HTTPRequestHead) -> Reply? {
        guard head.version.minor >= 1, head.headers["Host"].count != 1 else { return nil }
        let isMissing = !head.headers.contains(name: "Host")
        var reply = Reply.text(
            .badRequest,
            "400 Bad Request: " + (isMissing ? "missing required" : "too many") + " Host header"
        )
        reply.varies = false
        reply.closes = true
        return reply
    }
}

extension ReplyVariant {
    init(for head: HTTPRequestHead, settings: HTTPSettings) {
        isHTTP10 = head.version.major == 1 && head.version.minor == 0
        // An upgrade is not offered, and the decoder stops after a request for one.
        closes = !head.isKeepAlive || head.headers.contains(name: "Upgrade")
        omitsBody = head.method == .HEAD
        compresses = head.headers["Accept-Encoding"].contains { Gzip.isAccepted(by: $0) }
        indents = ReplyVariant.indents(head.uri, settings: settings)
    }

    static func indents(_ target: String, settings: HTTPSettings) -> Bool {
        settings.prettyByDefault || QueryParameters.mentions("pretty", in: target)
    }
}
