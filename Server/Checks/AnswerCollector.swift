import NIOCore
import NIOHTTP1

/// Sends one request and collects its answer, keeping the end of the body.
final class AnswerCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    struct Answer: Sendable {
        var code: UInt
        var reason: String
        var body: String
        /// Where the answer sends the client, when it is a redirect.
        var redirect: String?
    }

    struct Failure: Error {
        /// What the connection failed with; nil when it just ended.
        var cause: (any Error)?
    }

    private let head: HTTPRequestHead
    private let body: String
    private var completion: ((Result<Answer, Failure>) -> Void)?
    private var answer: Answer?
    private var tail: TailBuffer

    init(
        head: HTTPRequestHead,
        body: String,
        limit: Int,
        completion: @escaping (Result<Answer, Failure>) -> Void
    ) {
        self.head = head
        self.body = body
        self.completion = completion
        tail = TailBuffer(limit: limit)
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !body.isEmpty {
            let buffer = context.channel.allocator.buffer(string: body)
            context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard head.status.code >= 200 else { return }
            let isRedirect = [301, 302, 303, 307, 308].contains(head.status.code)
            answer = Answer(
                code: head.status.code,
                reason: head.status.reasonPhrase,
                body: "",
                redirect: isRedirect ? head.headers.first(name: "Location") : nil
            )
        case .body(let buffer):
            tail.append(buffer.readableBytesView)
        case .end:
            finish(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let completion = self.completion
        self.completion = nil
        completion?(.failure(Failure(cause: error)))
        context.close(promise: nil)
    }

    private func finish(_ context: ChannelHandlerContext) {
        guard let completion else { return }
        self.completion = nil
        guard var answer else { return completion(.failure(Failure(cause: nil))) }
        answer.body = tail.text
        completion(.success(answer))
    }
}
