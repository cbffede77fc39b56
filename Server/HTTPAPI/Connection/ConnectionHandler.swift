import NIOCore
import NIOHTTP1
import Replica

/// Turns the messages of one connection into requests, has them answered one after the other, in
/// order.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    /// A complete request that waits for its turn.
    private struct Turn {
        let method: HTTPMethod
        let target: String
        let headers: HTTPHeaders
        let variant: ReplyVariant
        let resolution: Resolution
        let body: ByteBuffer
        var upload: BodySpool?
        /// The bytes of its head, when a prepared reply may be kept for them.
        let headBytes: ByteBuffer?
    }

    /// The request that is being answered.
    struct Active {
        let serial: UInt64
        var variant: ReplyVariant
        let headBytes: ByteBuffer?
        var closeAction: (() -> Void)?
        /// Its head is sent, its body is on its way.
        var isStreaming = false
    }

    let loop: LoopState
    let gate: ByteGate
    @exclusivity(unchecked) private var incoming: IncomingMessage?
    @exclusivity(unchecked) private var turns = CircularBuffer<Turn>()
    @exclusivity(unchecked) var active: Active?
    @exclusivity(unchecked) private var nextSerial: UInt64 = 1
    @exclusivity(unchecked) private var isProcessing = false
    @exclusivity(unchecked) private var isEnding = false
    @exclusivity(unchecked) private var hasInputClosed = false
    @exclusivity(unchecked) var clock = ConnectionClock()

    /// Where `LoopState` keeps this connection.
    var position = -1
    /// The bytes the gate is feeding, while they are exactly one head.
    @exclusivity(unchecked) var currentHead: ByteBuffer?
    /// How many heads the decoder has given.
    @exclusivity(unchecked) private(set) var headCount = 0
    /// The newest head that came whole and was not refused, until the gate has learned from it.
    @exclusivity(unchecked) var decoded: (head: HTTPRequestHead, variant: ReplyVariant)?
    /// The length of the newest message's body; nil when only its end will tell.
    private(set) var bodyLength: Int?
    private var channel: (any Channel)?

    init(loop: LoopState, gate: ByteGate) {
        self.loop = loop
        self.gate = gate
    }

    /// Nothing is being read or answered.
    var isIdle: Bool {
        active == nil && incoming == nil && turns.isEmpty && !isEnding
    }

    /// So many requests wait that no more are read for now.
    var isSaturated: Bool {
        turns.count >= loop.services.limits.pipelinedRequests || incoming?.upload?.isFull == true
    }

    func handlerAdded(context: ChannelHandlerContext) {
        channel = context.channel
        clock.begin(at: loop.tick)
        loop.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        connectionEnded()
    }

    // MARK: Reading messages

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnding else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): receive(head)
        case .body(let bytes):
            clock.progressed(at: loop.tick)
            incoming?.append(bytes)
        case .end:
            guard let message = incoming else { return }
            incoming = nil
            enqueue(message)
        }
        if let incoming, incoming.isRefusedEarly {
            self.incoming = nil
            enqueue(incoming)
        }
    }

    private func receive(_ head: HTTPRequestHead) {
        headCount += 1
        clock.progressed(at: loop.tick)
        let message = IncomingMessage(
            head: head,
            loop: loop,
            headBytes: currentHead
        )
        bodyLength = message.announcedLength
        message.upload?.onDrained = { [weak gate] in gate?.resumeReading() }
        if message.wantsContinue, active == nil, turns.isEmpty {
            gate.write(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"))
        }
        incoming = message
    }

    private func enqueue(_ message: IncomingMessage) {
        let refusal = message.refusal
        let head = message.head
        let variant = ReplyVariant(for: head, settings: loop.services.settings)
        if refusal == nil { decoded = (head, variant) }
        turns.append(
            Turn(
                method: head.method,
                target: head.uri,
                headers: head.headers,
                variant: variant,
                resolution: refusal.map { .refused($0) } ?? message.resolution,
                body: message.body,
                upload: message.upload,
                headBytes: message.headBytes
            )
        )
        processTurns()
    }

    /// Answers a request that needed no decoder; false when it must be decoded after all.
    ///
    /// To be called only while idle. `bytes` are the whole request.
    func take(_ request: KnownFields.Request, _ bytes: ByteBuffer) -> Bool {
        let fields = request.fields
        let resolution = Resolution(of: request.method, request.target, in: loop.routes)
        guard fields.bodyLength <= resolution.bodyLimit(loop.services.limits),
            !resolution.takesUpload
        else { return false }
        clock.progressed(at: loop.tick)
        var variant = fields.variant
        variant.indents = ReplyVariant.indents(request.target, settings: loop.services.settings)
        var body = bytes
        body.moveReaderIndex(forwardBy: request.headLength)
        let turn = Turn(
            method: request.method,
            target: request.target,
            headers: fields.headers,
            variant: variant,
            resolution: resolution,
            body: body,
            headBytes: fields.bodyLength == 0 ? bytes : nil
        )
        isProcessing = true
        start(turn)
        isProcessing = false
        processTurns()
        return true
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isEnding else { return }
        guard let error = error as? HTTPParserError else { return closeNow() }
        let text: String
        switch error {
        case .headerOverflow:
            text = ReplyRenderer.protocolError(
                .headersTooLarge,
                "431 Request Header Fields Too Large"
            )
        case .invalidVersion:
            let reason = "Bad Request: unsupported protocol version"
            text = ReplyRenderer.protocolError(.badRequest, "400 \(reason)", reason: reason)
        case .invalidMethod:
            if let reply = Resolution.reply(toUnknownMethodIn: currentHead, loop.routes) {
                return refuse(reply)
            }
            text = ReplyRenderer.protocolError(.badRequest, "400 Bad Request")
        default:
            text = ReplyRenderer.protocolError(.badRequest, "400 Bad Request")
        }
        endAfterTurns(writing: text)
    }

    /// Answers a message that the decoder gave up; the connection ends.
    private func refuse(_ reply: Reply) {
        loop.date.update()
        var variant = ReplyVariant()
        variant.closes = true
        let rendered = loop.renderer.render(reply, variant, date: loop.date)
        endAfterTurns(writing: String(buffer: rendered.buffer))
    }

    /// A message that cannot be read ends the connection, after what was asked before it was
    /// answered.
    private func endAfterTurns(writing text: String) {
        incoming = nil
        guard active == nil, turns.isEmpty else {
            // The requests before it are still being answered: they keep their answers, it gets
            // none.
            hasInputClosed = true
            return
        }
        isEnding = true
        gate.write(ByteBuffer(string: text))
        gate.finishOutput()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            inputClosed()
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// The client will send no more: a parked query is dropped, an unfinished answer still goes
    /// out.
    private func inputClosed() {
        hasInputClosed = true
        incoming = nil
        if let current = active, let action = current.closeAction, !current.isStreaming {
            active = nil
            action()
            closeNow()
        } else if active == nil, turns.isEmpty {
            closeNow()
        }
    }

    // MARK: Answering

    private func processTurns() {
        guard !isProcessing else { return }
        isProcessing = true
        while active == nil, !isEnding, let turn = turns.popFirst() {
            start(turn)
        }
        isProcessing = false
        if active == nil, hasInputClosed, !isEnding { end() }
        gate.resumeReading()
    }

    private func start(_ turn: Turn) {
        let serial = nextSerial
        nextSerial += 1
        let variant = turn.variant
        active = Active(serial: serial, variant: variant, headBytes: turn.headBytes)
        var context = loop.context
        context.upload = turn.upload
        let outcome = turn.resolution.handle(
            turn.method,
            turn.target,
            turn.headers,
            turn.body,
            context
        )
        switch outcome {
        case .reply(let reply):
            answer(serial, with: reply)
        case .read(let query):
            read(query, serial, variant, headBytes: turn.headBytes)
        case .pending(let begin):
            begin(Responder(connection: self, serial: serial, eventLoop: loop.eventLoop))
        }
    }

    /// Has a read evaluated as soon as it may be.
    private func read(
        _ query: ReadQuery,
        _ serial: UInt64,
        _ variant: ReplyVariant,
        headBytes: ByteBuffer?
    ) {
        switch loop.reader.admission(of: query) {
        case .now(let standing):
            evaluate(query, standing, serial, variant, headBytes: headBytes)
        case .after(let requirement):
            loop.reader.barrier.wait(for: requirement) { [weak self, loop] error in
                guard let self, self.active?.serial == serial else { return }
                if let error {
                    return self.answer(serial, with: loop.reader.refused(HTTPError(error), query))
                }
                if let headBytes,
                    let bytes = loop.preparedReply(forHead: headBytes, assured: requirement)
                {
                    return self.finish(bytes, closes: false)
                }
                self.evaluate(query, ReadStanding(), serial, variant, headBytes: headBytes)
            }
        }
    }

    /// Evaluates a read: answers it, or has it wait for a newer index.
    private func evaluate(
        _ query: ReadQuery,
        _ standing: ReadStanding,
        _ serial: UInt64,
        _ variant: ReplyVariant,
        headBytes: ByteBuffer?
    ) {
        loop.watches.synchronize()
        let state: ReadAnswer
        do {
            state = try loop.reader.evaluate(query, standing)
        } catch {
            return answer(serial, with: loop.reader.refused(error, query))
        }
        if query.waits(after: state.index), loop.parked.hasRoom {
            return park(query, serial, variant, after: state)
        }
        loop.date.update()
        let reply = loop.reader.finished(state, query)
        let rendered = loop.renderer.render(reply, variant, date: loop.date)
        if let headBytes, query.isPreparable, !variant.closes {
            loop.prepared.keep(
                rendered,
                forHead: headBytes,
                query: query,
                variant: variant,
                answer: state
            )
        }
        finish(rendered.buffer, closes: variant.closes)
    }

    private func park(
        _ query: ReadQuery,
        _ serial: UInt64,
        _ variant: ReplyVariant,
        after state: ReadAnswer
    ) {
        let wait = query.options.waitWithJitter(using: &loop.generator)
        let waiter = ParkedQueries.Waiter(
            minimumIndex: query.options.minimumIndex,
            variant: variant,
            deadline: loop.eventLoop.now + wait
        ) { [weak self] bytes, closes in
            guard let self, self.active?.serial == serial else { return }
            self.finish(bytes, closes: closes)
        }
        let parked = loop.parked
        active?.closeAction = { parked.remove(waiter) }
        parked.park(waiter, query, after: state)
    }

    /// Sends the answer of a request; nothing happens when it was answered or dropped before.
    func answer(_ serial: UInt64, with reply: Reply) {
        guard let current = active, current.serial == serial else { return }
        var variant = current.variant
        variant.closes = variant.closes || reply.closes
        finish(loop.render(reply, variant), closes: variant.closes)
    }

    /// Sends the bytes of an answer and turns to the next request.
    func finish(_ bytes: ByteBuffer, closes: Bool) {
        active = nil
        clock.progressed(at: loop.tick)
        gate.write(bytes)
        if closes { end() } else { processTurns() }
    }

    /// Sets what is done when the connection ends before the request was answered.
    func setCloseAction(_ serial: UInt64, _ action: @escaping () -> Void) {
        guard active?.serial == serial else { return }
        active?.closeAction = action
    }

    // MARK: Ending

    private func end() {
        isEnding = true
        turns.removeAll()
        gate.finishOutput()
    }

    func closeNow() {
        isEnding = true
        gate.closeNow()
    }

    /// The connection is gone: whoever works for it is told.
    func connectionEnded() {
        isEnding = true
        loop.remove(self)
        incoming = nil
        turns.removeAll()
        let action = active?.closeAction
        active = nil
        channel = nil
        action?()
    }

    // MARK: Time-outs

    func noteActivity() {
        clock.progressed(at: loop.tick)
    }

    /// Bytes came that did not complete a head.
    func noteHeadStarted() {
        clock.headStarted(at: loop.tick)
    }

    /// Whether the connection has run out of time in what it is doing.
    func isOverdue(at tick: Int) -> Bool {
        let limits = loop.services.limits
        if let channel, !channel.isWritable {
            // Without an answer the channel is gone.
            let unsent = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
            return clock.isWriteStalled(
                unsent: unsent,
                at: tick,
                limit: loop.ticks(limits.writeTimeout)
            )
        }
        clock.writable()
        if active != nil { return false }
        if incoming != nil { return clock.isOver(loop.ticks(limits.bodyTimeout), at: tick) }
        if clock.isInHead { return clock.isOver(loop.ticks(limits.headTimeout), at: tick) }
        return clock.isOver(loop.ticks(limits.idleTimeout), at: tick)
    }
}
