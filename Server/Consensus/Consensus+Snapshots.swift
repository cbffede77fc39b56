import Logging
import Model
import NIOCore
import RPC
import Raft
import Replica
import Snapshots
import StateMachine

/// Snapshots: of this server's own state, to followers that lag, and from a leader.
extension Consensus {
    // MARK: Taking

    /// Begins a snapshot when enough was applied since the last one.
    func takeSnapshotWhenDue() {
        guard !isTakingSnapshot, inbox.isEmpty else { return }
        let settings = settings.snapshots
        let entries = raft.log.applied.rawValue - raft.log.snapshot.index.rawValue
        let rests = ReadGate.now.since(lastSnapshotAt) < settings.interval
        // A large state takes long to write: the larger it is, the more of a log it is worth.
        let isDue =
            entries >= settings.entries && !rests
            || appliedBytes >= max(settings.bytes, 4 * lastSnapshotBytes)
        guard isDue, entries > 0, let machine = capture(), !machine.isRestoring,
            let point = raft.snapshotPoint, appliedIndex == point.index
        else { return }
        isTakingSnapshot = true
        appliedBytes = 0
        let started = ReadGate.now
        let saved = callback { (consensus, sizeBytes: Int) in
            consensus.didTakeSnapshot(at: point, sizeBytes: sizeBytes, since: started)
        }
        archive.save(
            machine,
            SnapshotKeeper.metadata(of: machine, at: point, cluster: cluster, wallClock()),
            saved
        )
    }

    private func didTakeSnapshot(at point: SnapshotPoint, sizeBytes: Int, since started: Instant) {
        isTakingSnapshot = false
        lastSnapshotBytes = sizeBytes
        lastSnapshotAt = ReadGate.now
        let last = point.index.rawValue
        let milliseconds = lastSnapshotAt.since(started).rawValue / 1_000_000
        logger.info(
            "snapshot: index=\(last) bytes=\(sizeBytes) milliseconds=\(milliseconds)"
        )
        input(.snapshotTaken(point, compactThrough: compactable(behind: point.index)))
    }

    /// How much of the log may go: not what a follower is about to ask for, or it would be sent one
    /// snapshot after the other.
    private func compactable(behind snapshot: LogIndex) -> LogIndex {
        let settings = settings.snapshots
        let now = ReadGate.now
        var through = snapshot.rawValue - min(snapshot.rawValue, settings.trailingEntries)
        for follower in raft.leading.followers
        where raft.isLeader && now.since(follower.lastContact) < settings.patience {
            let needed = max(follower.match, outgoing[follower.id] ?? .zero)
            through = min(through, needed.rawValue)
        }
        let least = snapshot.rawValue - min(snapshot.rawValue, settings.mostTrailingEntries)
        return LogIndex(rawValue: max(through, least))
    }

    /// What a snapshot of the present state says of itself.
    func metadata(of machine: StateMachine) -> SnapshotMetadata {
        let position = LogPosition(
            index: appliedIndex,
            term: raft.log.term(at: appliedIndex) ?? raft.term
        )
        let point = SnapshotPoint(position: position, configuration: raft.log.configuration)
        return SnapshotKeeper.metadata(of: machine, at: point, cluster: cluster, wallClock())
    }

    // MARK: Sending

    func send(_ transfer: SnapshotTransfer) {
        let term = transfer.term
        let peer = transfer.peer
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        archive.open(on: eventLoop).whenComplete { result in
            let consensus = bound.value
            guard !consensus.isStopped else { return }
            guard case .success(let file?) = result else {
                return consensus.input(.snapshotSent(to: peer, delivered: false))
            }
            consensus.send(file, to: peer, in: term)
        }
    }

    private func send(_ file: SnapshotFile, to peer: NodeID, in term: Term) {
        let offer = SnapshotHandover(name: file.name, term: term)
            .offer(sizeBytes: file.sizeBytes)
        logger.info("sending a snapshot: to=\(name(of: peer)) bytes=\(file.sizeBytes)")
        outgoing[peer] = file.name.position.index
        let source = FileSource(file: file, archive: archive, eventLoop: eventLoop)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        transport.sendSnapshot(offer, from: source, to: peer).whenComplete { result in
            let consensus = bound.value
            guard !consensus.isStopped else { return }
            switch result {
            case .success:
                // From here on the follower's own progress says what it needs.
                consensus.input(.snapshotSent(to: peer, delivered: true))
            case .failure(let error):
                let name = consensus.name(of: peer)
                consensus.logger.warning("cannot send a snapshot: to=\(name) error=\(error)")
                consensus.input(.snapshotSent(to: peer, delivered: false))
            }
        }
    }

    // MARK: Receiving

    func transport(
        _ transport: PeerTransport,
        offered offer: SnapshotOffer,
        from peer: NodeID
    ) -> SnapshotReception {
        guard cluster != 0, let handover = SnapshotHandover(offer) else {
            return .refused("this server cannot judge the offer")
        }
        guard handover.term >= raft.term else { return .refused("the offer is of an earlier term") }
        do {
            let receiver = try archive.receive(
                handover.name,
                sizeBytes: Int(clamping: offer.totalBytes)
            )
            logger.info(
                """
                receiving a snapshot: from=\(name(of: peer)) bytes=\(offer.totalBytes) \
                resumed=\(receiver.offset)
                """
            )
            let sink = SnapshotInstaller(
                consensus: self,
                receiver: ReceiverBox(receiver),
                term: handover.term,
                peer: peer
            )
            return .accepted(sink, resumeAt: UInt64(receiver.offset))
        } catch {
            return .refused("\(error)")
        }
    }

    /// Waits until everything that the disk was told is on it, the cluster's name with it.
    fileprivate func logOnDisk() -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        disk.enqueue(.write([], commit: .zero, done: { promise.succeed() }))
        return promise.futureResult
    }

    /// A leader's snapshot is whole and on disk.
    fileprivate func didReceive(
        _ stored: SnapshotKeeper.Stored,
        from peer: NodeID,
        in term: Term
    ) {
        guard !isStopped else { return }
        let point = stored.metadata.point
        received[point.index] = stored.machine
        input(.snapshotReceived(point, from: peer, term: term))
    }
}

/// What a leader tells about a snapshot that it offers.
struct SnapshotHandover {
    var name: SnapshotName
    /// The leader's.
    var term: Term

    init(name: SnapshotName, term: Term) {
        self.name = name
        self.term = term
    }

    /// Reads an offer: `| term:8 | name:text |`; nil when it is none.
    init?(_ offer: SnapshotOffer) {
        let read = PeerReader.read(offer.metadata) { (reader) throws(PeerCodecError) in
            (term: Term(rawValue: try reader.number()), name: try reader.text())
        }
        guard let read, let name = SnapshotName(read.name) else { return nil }
        self.init(name: name, term: read.term)
    }

    func offer(sizeBytes: Int) -> SnapshotOffer {
        var writer = PeerWriter()
        writer.number(term.rawValue)
        writer.text(name.description)
        return SnapshotOffer(
            id: UInt128(name.position.index.rawValue) << 64 | UInt128(name.milliseconds),
            totalBytes: UInt64(sizeBytes),
            metadata: writer.bytes
        )
    }
}

/// A stored snapshot as the transport reads it.
private final class FileSource: SnapshotSource {
    private let file: SnapshotFile
    private let archive: SnapshotKeeper
    private let eventLoop: any EventLoop

    init(file: SnapshotFile, archive: SnapshotKeeper, eventLoop: any EventLoop) {
        self.file = file
        self.archive = archive
        self.eventLoop = eventLoop
    }

    func read(at offset: UInt64, count: Int) -> EventLoopFuture<[UInt8]> {
        archive.read(file, at: Int(clamping: offset), count: count, on: eventLoop)
    }

    func close() {}
}

/// Where the transport puts a snapshot that comes in.
private final class SnapshotInstaller: SnapshotSink {
    private let consensus: Consensus
    private let receiver: ReceiverBox
    private let term: Term
    private let peer: NodeID

    init(consensus: Consensus, receiver: ReceiverBox, term: Term, peer: NodeID) {
        self.consensus = consensus
        self.receiver = receiver
        self.term = term
        self.peer = peer
    }

    func write(_ bytes: [UInt8], at offset: UInt64) -> EventLoopFuture<Void> {
        consensus.archive.append(
            bytes,
            at: Int(clamping: offset),
            to: receiver,
            on: consensus.eventLoop
        )
    }

    func finish() -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(consensus, eventLoop: consensus.eventLoop)
        let (peer, term) = (peer, term)
        // A snapshot without the log that names its cluster could not be told from a lost log.
        return consensus.logOnDisk().flatMap { [receiver] in
            bound.value.archive.install(receiver, on: bound.value.eventLoop)
        }.map { stored in
            bound.value.didReceive(stored, from: peer, in: term)
        }
    }

    func abandon() {}
}
