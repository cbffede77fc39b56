import NIOCore
import NIOHTTP1

/// A request that reached a scripted registry.
public struct ScriptedRequest: Sendable {
    /// The HTTP method.
    public let method: String
    /// Path and query string.
    public let target: String
    /// The headers in their order.
    public let headers: [(name: String, value: String)]
    /// The body's bytes.
    public let bytes: [UInt8]
    private let channel: any Channel

    init(head: HTTPRequestHead, bytes: [UInt8], channel: any Channel) {
        method = head.method.rawValue
        target = head.uri
        headers = head.headers.map { ($0.name, $0.value) }
        self.bytes = bytes
        self.channel = channel
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    public var body: String { String(decoding: bytes, as: UTF8.self) }

    /// The value of a query parameter, still encoded; empty when it has none, nil when absent.
    public func parameter(_ name: String) -> String? {
        guard let query = target.split(separator: "?", maxSplits: 1).dropFirst().first else {
            return nil
        }
        for part in query.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.first.map(String.init) == name {
                return pair.count > 1 ? String(pair[1]) : ""
            }
        }
        return nil
    }

    /// The first header of that name.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// Sends the answer.
    public func answer(_ reply: ScriptedReply) {
        switch reply.delivery {
        case .silence: break
        case .hangUp: hangUp()
        case .whole:
            let body = begin(reply.status, headers: reply.headers, length: reply.bytes.count)
            body.send(reply.bytes)
            body.end()
        case .half(let count):
            let body = begin(reply.status, headers: reply.headers, length: reply.bytes.count)
            body.send(Array(reply.bytes.prefix(count)))
            body.hangUp()
        }
    }

    /// Sends an answer with status, index and body.
    public func answer(_ status: Int = 200, index: UInt64? = nil, _ body: String = "") {
        answer(ScriptedReply(status, index: index, body))
    }

    /// Begins an answer whose body the test sends piece by piece, as slowly as it likes.
    ///
    /// - Parameters:
    ///   - status: The HTTP status.
    ///   - headers: The headers, `Content-Length` aside.
    ///   - length: How many bytes the body promises to have; nil promises nothing (`chunked`).
    /// - Returns: Where the pieces go.
    public func begin(
        _ status: Int = 200,
        headers: [(String, String)] = [],
        length: Int? = nil
    ) -> ScriptedBody {
        var head = HTTPResponseHead(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: status)
        )
        for (name, value) in headers { head.headers.add(name: name, value: value) }
        if let length { head.headers.add(name: "Content-Length", value: String(length)) }
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        return ScriptedBody(channel: channel)
    }

    /// Closes the connection without an answer.
    public func hangUp() {
        channel.close(promise: nil)
    }

    /// Returns when the connection is closed, by whichever side.
    public func closed() async {
        // The future only fails when closing fails, and then the connection is gone as well.
        try? await channel.closeFuture.get()
    }
}

/// The body of an answer that has begun; see ``ScriptedRequest/begin(_:headers:length:)``.
public struct ScriptedBody: Sendable {
    let channel: any Channel

    /// Sends a piece at once.
    public func send(_ text: String) { send(Array(text.utf8)) }

    /// Sends a piece at once.
    public func send(_ bytes: [UInt8]) {
        let part = HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes)))
        channel.writeAndFlush(part, promise: nil)
    }

    /// Says that the body is complete.
    public func end() {
        channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
    }

    /// Closes the connection after what was sent so far.
    public func hangUp() {
        channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer())))
            .whenComplete { _ in channel.close(promise: nil) }
    }
}
