import Consensus
import HTTPAPI
import Model
import NIOCore
import NIOPosix
import Raft
import Replica
import Snapshots
import StateMachine
import StateStore

/// Saving and restoring the registry: archives of a replica's state, made and read on threads that
/// may take their time.
final class ServerSnapshots: SnapshotPort {
    private let replica: Replica
    /// Nil in development mode.
    private let consensus: ConsensusLog?
    private let server: NodeID
    private let address: String
    private let limits = SnapshotLimits()

    init(replica: Replica, consensus: ConsensusLog?, server: NodeID, address: String) {
        self.replica = replica
        self.consensus = consensus
        self.server = server
        self.address = address
    }

    // MARK: Saving

    func save(
        stale: Bool,
        completion: @escaping @Sendable (Result<SavedSnapshot, SnapshotRefusal>) -> Void
    ) {
        guard !stale else { return capture(completion) }
        replica.awaitReadable(.current, on: replica.eventLoop) { error in
            if let error { return completion(.failure(SnapshotRefusal(error.message))) }
            self.capture(completion)
        }
    }

    private func capture(
        _ completion: @escaping @Sendable (Result<SavedSnapshot, SnapshotRefusal>) -> Void
    ) {
        replica.capture { machine in
            let metadata = self.metadata(of: machine)
            let leadership = self.replica.leadership
            let pipe = BytePipe()
            let contact = max(0, leadership.lastContact.rawValue / 1_000_000)
            completion(
                .success(
                    SavedSnapshot(
                        index: metadata.stateIndex,
                        knowsLeader: leadership.leader != nil,
                        lastContactMilliseconds: UInt64(contact),
                        source: pipe
                    )
                )
            )
            NIOThreadPool.singleton.submit { _ in self.write(machine, metadata, to: pipe) }
        }
    }

    private func write(
        _ machine: StateMachine,
        _ metadata: SnapshotMetadata,
        to pipe: BytePipe
    ) {
        do {
            let writer = SnapshotWriter(limits: limits)
            try writer.write(store: machine.store, metadata: metadata) { piece in
                var rest = piece[...]
                while !rest.isEmpty {
                    let part = rest.prefix(limits.pieceBytes)
                    rest = rest.dropFirst(part.count)
                    try pipe.send(UnsafeRawBufferPointer(rebasing: part))
                }
            }
            pipe.finish()
        } catch {
            pipe.finish(.failure(error))
        }
    }

    /// Where in the log the state stands; runs on the replica's loop.
    private func metadata(of machine: StateMachine) -> SnapshotMetadata {
        if let consensus { return consensus.metadata(of: machine) }
        let leadership = replica.leadership
        let position = LogPosition(
            index: machine.store.lastApplied,
            term: Term(rawValue: leadership.term)
        )
        let own = ClusterMember(id: server, role: .voter, address: address)
        let configuration = PlacedConfiguration(
            index: leadership.configurationIndex,
            configuration: ClusterConfiguration(members: [own])
        )
        let point = SnapshotPoint(position: position, configuration: configuration)
        return SnapshotKeeper.metadata(of: machine, at: point, cluster: 0, Clocks.wall())
    }

    // MARK: Restoring

    func restore(
        _ archive: UploadedBody,
        completion: @escaping @Sendable (Result<Void, SnapshotRefusal>) -> Void
    ) {
        Task {
            do {
                try await verify(archive)
                let result = try await replica.restore(length: archive.sizeBytes) {
                    offset,
                    count in
                    try await NIOThreadPool.singleton.runIfActive {
                        try archive.read(at: offset, count: count)
                    }
                }
                if case .refused(.invalid(let message)) = result {
                    throw SnapshotRefusal(message)
                }
                completion(.success(()))
            } catch let refusal as SnapshotRefusal {
                completion(.failure(refusal))
            } catch {
                completion(.failure(SnapshotRefusal("\(error)")))
            }
        }
    }

    /// Reads the archive once to its end, so that a bad one is refused before anything happens.
    private func verify(_ archive: UploadedBody) async throws {
        try await NIOThreadPool.singleton.runIfActive { [limits] in
            do {
                let reader = try SnapshotReader(limits: limits)
                var offset = 0
                while offset < archive.sizeBytes {
                    let piece = try archive.read(at: offset, count: limits.pieceBytes)
                    try reader.consume(piece)
                    offset += piece.count
                }
                _ = try reader.finish()
            } catch let error as SnapshotError {
                throw SnapshotRefusal(error.message)
            }
        }
    }

    /// Reads an archive that came through the log.
    static let read: Replica.ArchiveReader = { archive in
        do throws(SnapshotError) {
            let reader = try SnapshotReader()
            try reader.consume(archive)
            return try reader.finish().store
        } catch {
            throw StartError(error.message)
        }
    }
}
