import NIOCore
import Replica

/// What one event loop keeps for its connections; touched on that loop only.
final class LoopState {
    let eventLoop: any EventLoop
    let services: APIServices
    let routes: RouteTable
    let renderer: ReplyRenderer
    let watches: WatchRegistry
    let reader: LoopReader
    let prepared: PreparedReplies
    @exclusivity(unchecked) var knownFields: KnownFields
    let parked: ParkedQueries
    var generator = SystemRandomNumberGenerator()
    @exclusivity(unchecked) var date = HTTPDate()
    /// Counts sweeps: the coarse clock that time-outs are measured by.
    @exclusivity(unchecked) private(set) var tick = 0
    /// The reply to nearly every write, as it was last sent.
    @exclusivity(unchecked) private var acknowledgement:
        (variant: ReplyVariant, rendered: RenderedReply)?
    private var connections: [ConnectionHandler] = []
    private var sweep: RepeatedTask?

    /// Must be called on the event loop.
    init(eventLoop: any EventLoop, services: APIServices, routes: RouteTable) {
        self.eventLoop = eventLoop
        self.services = services
        self.routes = routes
        renderer = ReplyRenderer(settings: services.settings, allocator: ByteBufferAllocator())
        watches = services.replica.makeWatchRegistry(on: eventLoop)
        reader = LoopReader(
            services: services,
            watches: watches,
            renderer: renderer,
            eventLoop: eventLoop
        )
        prepared = PreparedReplies(reader: reader, limits: services.limits)
        knownFields = KnownFields(limits: services.limits)
        parked = ParkedQueries(reader: reader, eventLoop: eventLoop)
    }

    /// The reply to a request head seen before on this loop, if it can be given without parsing.
    func preparedReply(forHead head: ByteBuffer) -> ByteBuffer? {
        // Asked before the changes are looked at: they reach at least up to the answer.
        let isCurrent = services.replica.isCurrentCertain
        return preparedReply(forHead: head, assured: isCurrent ? .current : nil)
    }

    /// The same, when it is known how current what is published is.
    func preparedReply(
        forHead head: ByteBuffer,
        assured assurance: ReadRequirement?
    ) -> ByteBuffer? {
        watches.synchronize()
        date.update()
        return prepared.reply(forHead: head, date: date, assured: assurance)
    }

    /// The bytes of a reply, with the current date.
    func render(_ reply: Reply, _ variant: ReplyVariant) -> ByteBuffer {
        date.update()
        guard reply.isAcknowledgement else {
            return renderer.render(reply, variant, date: date).buffer
        }
        if acknowledgement?.variant != variant {
            acknowledgement = (variant, renderer.render(reply, variant, date: date))
        }
        acknowledgement?.rendered.refresh(date)
        return acknowledgement?.rendered.buffer ?? ByteBuffer()
    }

    var context: RequestContext {
        RequestContext(services: services, eventLoop: eventLoop, loop: self)
    }

    // MARK: Connections

    func add(_ connection: ConnectionHandler) {
        connection.position = connections.count
        connections.append(connection)
        guard sweep == nil else { return }
        let interval = services.limits.sweepInterval
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        sweep = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            bound.value.sweepConnections()
        }
    }

    func remove(_ connection: ConnectionHandler) {
        let position = connection.position
        guard connections.indices.contains(position), connections[position] === connection else {
            return
        }
        connections.swapAt(position, connections.count - 1)
        connections.removeLast()
        if position < connections.count { connections[position].position = position }
        if connections.isEmpty {
            sweep?.cancel()
            sweep = nil
        }
    }

    /// How many sweeps a time-out lasts; at least one, so a connection is never cut early.
    func ticks(_ timeout: TimeAmount) -> Int {
        let interval = max(1, services.limits.sweepInterval.nanoseconds)
        return Int(timeout.nanoseconds / interval) + 1
    }

    /// Ends the connections that have run out of time.
    func sweepConnections() {
        tick += 1
        for connection in connections where connection.isOverdue(at: tick) {
            connection.closeNow()
        }
    }

    /// Ends every connection.
    func closeAll() {
        for connection in connections { connection.closeNow() }
    }
}
