import Model
import Raft

/// A clock that starts anywhere and runs a little fast or slow.
struct SimulatedClock {
    var offset: UInt64
    /// Deviation in parts per thousand.
    var drift: Int64

    func local(_ time: Instant) -> Instant {
        let elapsed = Int64(time.nanoseconds)
        return Instant(nanoseconds: offset + UInt64(elapsed + elapsed / 1000 * drift))
    }

    /// The first moment at which this clock shows `local` or more.
    func global(_ local: Instant) -> Instant {
        guard local.nanoseconds > offset else { return Instant(nanoseconds: 0) }
        let elapsed = Double(local.nanoseconds - offset) * 1000 / Double(1000 + drift)
        var time = Instant(nanoseconds: UInt64(min(elapsed, 1e18)))
        while self.local(time) < local { time.nanoseconds += 10_000 }
        return time
    }
}

/// Which links work, and when what is sent arrives.
package struct SimulatedNetwork {
    private struct Link: Hashable {
        var from: NodeID
        var to: NodeID
    }

    /// Directed links that lose everything.
    private var cut: Set<Link> = []
    /// When a link has sent what queues up for it.
    private var freeAt: [Link: Instant] = [:]
    private let options: SimulationOptions
    /// Whether nothing is lost, repeated or late any more.
    var isHealed = false

    init(_ options: SimulationOptions) {
        self.options = options
    }

    mutating func cutLink(from: NodeID, to: NodeID) {
        cut.insert(Link(from: from, to: to))
    }

    mutating func heal() {
        cut.removeAll()
    }

    func isCut(from: NodeID, to: NodeID) -> Bool {
        cut.contains(Link(from: from, to: to))
    }

    /// When copies of the message arrive; none, one or two.
    mutating func arrivals(
        of message: RaftMessage,
        now: Instant,
        using random: inout RandomSource
    ) -> [Instant] {
        func chance(_ share: Int) -> Bool {
            share > 0 && !isHealed && Int.random(in: 0..<10_000, using: &random) < share
        }
        if isCut(from: message.from, to: message.to) || chance(options.dropChance) { return [] }
        var departure = now
        if !message.isPriority || options.faults.contains(.ignoresPriority) {
            let link = Link(from: message.from, to: message.to)
            let bytes = Int64(SimulatedNetwork.size(of: message))
            let time = Nanoseconds(rawValue: bytes * 1_000_000_000 / options.bytesPerSecond)
            departure = max(now, freeAt[link] ?? now).advanced(by: time)
            freeAt[link] = departure
        }
        let copies = chance(options.duplicateChance) ? 2 : 1
        var times: [Instant] = []
        for _ in 0..<copies {
            let least = options.delay.rawValue / 2
            var delay = Int64.random(in: least...least * 3, using: &random)
            if chance(options.slowChance) {
                delay += Int64.random(in: 0...options.slowDelay.rawValue, using: &random)
            }
            if options.keepsOrder { delay = options.delay.rawValue }
            times.append(departure.advanced(by: Nanoseconds(rawValue: delay)))
        }
        return times
    }

    static func size(of message: RaftMessage) -> Int {
        guard case .append(let append) = message.body else { return 40 }
        return append.entries.reduce(40) { $0 + $1.sizeBytes }
    }
}

extension Simulation {
    func send(_ message: RaftMessage) {
        let greeting = options.isWhole ? greeting(of: message.from) : nil
        for time in network.arrivals(of: message, now: now, using: &random) {
            at(time, greeting.map { .letter(message, $0) } ?? .message(message))
        }
    }

    func send(_ transfer: SnapshotTransfer, from id: NodeID) {
        guard let snapshot = nodes[id]?.server?.snapshot else { return }
        let most = options.snapshotTime.rawValue
        let time = Nanoseconds(rawValue: Int64.random(in: most / 2...most, using: &random))
        let (peer, term) = (transfer.peer, transfer.term)
        let event: Event =
            options.isWhole
            ? .letterSnapshot(snapshot, from: id, to: peer, term: term, greeting(of: id))
            : .snapshot(snapshot, from: id, to: peer, term: term)
        after(time, event)
        if chance(options.oldSnapshotChance) {
            after(.milliseconds(Int64.random(in: 100...900, using: &random)), event)
        }
    }

    func deliver(
        _ snapshot: SimulatedDisk.Snapshot,
        from: NodeID,
        to: NodeID,
        term: Term,
        _ event: Event
    ) {
        if isPaused(to, event) { return }
        let isLost = network.isCut(from: from, to: to) || nodes[to]?.server == nil
        let report = Event.snapshotReport(to: from, about: to, delivered: !isLost)
        after(options.delay, report)
        let local = localTime(to)
        guard !isLost,
            let output = nodes[to]?.server?.receive(snapshot, from: from, term: term, now: local)
        else { return }
        finishStep(to, output)
    }
}
