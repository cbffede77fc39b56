import Logging
import Model
import NIOCore
import NIOPosix
import RPC
import Raft

/// A transport on an event loop of its own, with a delegate that writes down what happens.
final class TestServer: Sendable {
    /// What the delegate was told.
    enum Event: Hashable, Sendable {
        case opened(PeerLane, NodeID)
        case lost(PeerLane, NodeID)
        case drops(PeerLane, NodeID)
    }

    /// The transport and its delegate; used on the loop only.
    final class Core: PeerTransportDelegate {
        var greeting: ServerGreeting
        var objects: (ServerGreeting) -> GreetingAnswer? = { _ in nil }
        /// What peers said of this server's disk.
        var outdated: [NodeID: String] = [:]
        var admits: (ServerGreeting) -> GreetingAnswer?
        var events: [Event] = []
        var received: [NodeID: [PeerMessage]] = [:]
        var admitted: [(ServerGreeting, ConnectionKind)] = []
        var refusals = 0
        /// Answers requests with their own body.
        var echoes = false
        var reception: (SnapshotOffer) -> SnapshotReception = { _ in .refused("not now") }
        private var waiters: [(isMet: (Core) -> Bool, promise: EventLoopPromise<Void>)] = []

        init(greeting: ServerGreeting) {
            self.greeting = greeting
            admits = { _ in nil }
        }

        func wait(_ promise: EventLoopPromise<Void>, until isMet: @escaping (Core) -> Bool) {
            waiters.append((isMet, promise))
            check()
        }

        func check() {
            let met = waiters.filter { $0.isMet(self) }
            waiters.removeAll { $0.isMet(self) }
            for waiter in met { waiter.promise.succeed() }
        }

        func transport(
            _ transport: PeerTransport,
            received messages: [PeerMessage],
            from peer: NodeID
        ) {
            received[peer, default: []] += messages
            if echoes {
                for case .request(let id, _, let body) in messages {
                    transport.send(.response(id: id, failure: nil, body: body), to: peer)
                }
                transport.flush()
            }
            check()
        }

        func transport(
            _ transport: PeerTransport,
            objectsTo greeting: ServerGreeting
        ) -> GreetingAnswer? {
            objects(greeting)
        }

        func transport(
            _ transport: PeerTransport,
            isOutdated reason: String,
            accordingTo peer: NodeID
        ) {
            outdated[peer] = reason
            check()
        }

        func transport(
            _ transport: PeerTransport,
            admits greeting: ServerGreeting,
            for kind: ConnectionKind
        ) -> GreetingAnswer {
            admitted.append((greeting, kind))
            defer { check() }
            return admits(greeting) ?? .accepted(self.greeting)
        }

        func transport(
            _ transport: PeerTransport,
            opened lane: PeerLane,
            to peer: NodeID,
            greeting: ServerGreeting
        ) {
            events.append(.opened(lane, peer))
            check()
        }

        func transport(_ transport: PeerTransport, lost lane: PeerLane, to peer: NodeID) {
            events.append(.lost(lane, peer))
            check()
        }

        func transport(_ transport: PeerTransport, drops lane: PeerLane, to peer: NodeID) {
            events.append(.drops(lane, peer))
            check()
        }

        func transport(
            _ transport: PeerTransport,
            offered offer: SnapshotOffer,
            from peer: NodeID
        ) -> SnapshotReception {
            defer { check() }
            return reception(offer)
        }
    }

    let id: NodeID
    let loop: any EventLoop
    let log = TestLog()
    private let bound: NIOLoopBound<(PeerTransport, Core)>

    init(
        _ number: Int,
        settings: PeerTransportSettings = TestServer.quick,
        cluster: UInt128 = 1
    ) async throws {
        let id = NodeID(rawValue: UInt128(number))
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let log = log
        self.id = id
        self.loop = loop
        bound = try await loop.submit {
            let core = Core(
                greeting: ServerGreeting(
                    cluster: cluster,
                    server: id,
                    start: .first,
                    address: "",
                    nodeName: "node-\(number)"
                )
            )
            let transport = PeerTransport(
                eventLoop: loop,
                settings: settings,
                logger: log.logger
            ) { core.greeting }
            transport.delegate = core
            return NIOLoopBound((transport, core), eventLoop: loop)
        }.get()
    }

    /// Settings under which what is wanted happens soon, and nothing times out on a busy machine.
    static var quick: PeerTransportSettings {
        var settings = PeerTransportSettings()
        settings.shortestBackoff = .milliseconds(2)
        settings.longestBackoff = .milliseconds(20)
        settings.keepaliveInterval = .milliseconds(50)
        settings.keepaliveTimeout = .seconds(50)
        settings.handshakeTimeout = .seconds(50)
        settings.connectTimeout = .seconds(50)
        return settings
    }

    func run<Value: Sendable>(
        _ body: @escaping @Sendable (PeerTransport, Core) -> Value
    ) async throws -> Value {
        let bound = bound
        return try await loop.submit { body(bound.value.0, bound.value.1) }.get()
    }

    /// Listens on loopback and gives its address.
    func listen(port: Int = 0) async throws -> String {
        let bound = bound
        let address = try await loop.flatSubmit {
            bound.value.0.listen(host: "127.0.0.1", port: port)
        }.get()
        let text = "127.0.0.1:\(address.port ?? 0)"
        try await run { _, core in core.greeting.address = text }
        return text
    }

    func wait(until isMet: @escaping @Sendable (Core) -> Bool) async throws {
        let bound = bound
        let loop = loop
        try await loop.flatSubmit {
            let promise = loop.makePromise(of: Void.self)
            bound.value.1.wait(promise, until: isMet)
            return promise.futureResult
        }.get()
    }

    /// Asks again and again until something holds that nobody tells of.
    func poll(
        until isMet: @escaping @Sendable (PeerTransport) -> Bool
    ) async throws {
        while try await !run({ transport, _ in isMet(transport) }) {
            try await loop.scheduleTask(in: .milliseconds(2)) {}.futureResult.get()
        }
    }

    func waitForLanes(to peer: NodeID) async throws {
        try await wait { core in
            core.events.contains(.opened(.priority, peer))
                && core.events.contains(.opened(.bulk, peer))
        }
    }

    func hello(
        _ address: String,
        timeout: TimeAmount = .seconds(50)
    ) async throws -> ServerGreeting {
        let bound = bound
        return try await loop.flatSubmit {
            bound.value.0.hello(address: address, timeout: timeout)
        }.get()
    }

    func stop() async throws {
        try await run { transport, _ in transport.stop() }
    }
}
