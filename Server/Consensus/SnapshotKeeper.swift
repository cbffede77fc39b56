import DurableLog
package import Model
import NIOCore
import NIOPosix
package import Raft
package import Snapshots
package import StateMachine
import StateStore

/// The snapshots of this server, on threads that may wait for the disk.
///
/// A disk that fails ends the process.
package final class SnapshotKeeper: Sendable {
    /// A snapshot with the value it holds.
    struct Stored: Sendable {
        let metadata: SnapshotMetadata
        let machine: StateMachine

        /// What the log must fit.
        var stored: StoredSnapshot {
            StoredSnapshot(cluster: metadata.cluster, point: metadata.point)
        }
    }

    /// The newest one when the server started.
    let newest: Stored?
    private let directory: SnapshotDirectory
    private let fail: @Sendable (String) -> Never
    /// Saves take long, pieces that are sent or received do not wait for them.
    private let saving = NIOThreadPool(numberOfThreads: 1)
    private let moving = NIOThreadPool(numberOfThreads: 1)

    private init(
        _ directory: SnapshotDirectory,
        newest: Stored?,
        fail: @escaping @Sendable (String) -> Never
    ) {
        self.directory = directory
        self.newest = newest
        self.fail = fail
        saving.start()
        moving.start()
    }

    /// Opens the directory and reads the newest snapshot; blocks meanwhile.
    static func open(
        _ path: String,
        fail: @escaping @Sendable (String) -> Never
    ) throws(ConsensusError) -> SnapshotKeeper {
        do throws(SnapshotError) {
            let directory = try SnapshotDirectory(path: path)
            let newest = try directory.newest().map { loaded throws(SnapshotError) in
                try stored(loaded, path)
            }
            return SnapshotKeeper(directory, newest: newest, fail: fail)
        } catch {
            throw ConsensusError(error.message)
        }
    }

    private static func stored(
        _ loaded: SnapshotDirectory.Loaded,
        _ path: String
    ) throws(SnapshotError) -> Stored {
        let machine = StateMachine(store: loaded.store, remainder: loaded.metadata.requests)
        guard let machine else {
            throw .damagedFile(
                file: "\(path)/\(loaded.name)",
                reason: "the requests that took effect are not readable"
            )
        }
        return Stored(metadata: loaded.metadata, machine: machine)
    }

    /// Ends the threads, after what they are at.
    func stop() {
        saving.shutdownGracefully { _ in }
        moving.shutdownGracefully { _ in }
    }

    /// What a snapshot of a state says of itself.
    package static func metadata(
        of machine: StateMachine,
        at point: SnapshotPoint,
        cluster: UInt128,
        _ now: Timestamp
    ) -> SnapshotMetadata {
        var metadata = SnapshotMetadata(
            stateIndex: max(machine.stateIndex(of: point.index), machine.store.lastApplied),
            position: point.position,
            configuration: point.configuration,
            created: now
        )
        metadata.cluster = cluster
        metadata.indexOffset = machine.indexOffset
        metadata.lastStamp = machine.lastStamp
        metadata.requests = machine.encodedRemainder
        return metadata
    }

    /// Writes a snapshot; calls back on a thread of its own, with its length in bytes.
    func save(
        _ machine: StateMachine,
        _ metadata: SnapshotMetadata,
        _ completion: @escaping @Sendable (_ sizeBytes: Int) -> Void
    ) {
        saving.submit { _ in
            do throws(SnapshotError) {
                let name = try self.directory.save(store: machine.store, metadata: metadata)
                completion(try self.directory.open(name).sizeBytes)
            } catch {
                self.fail(error.message)
            }
        }
    }

    // MARK: Sending

    /// The newest snapshot, to be sent; nil when there is none.
    func open(on eventLoop: any EventLoop) -> EventLoopFuture<SnapshotFile?> {
        moving.runIfActive(eventLoop: eventLoop) {
            try self.orFail { () throws(SnapshotError) in
                guard let name = try self.directory.list().first else { return nil }
                return try self.directory.open(name)
            }
        }
    }

    func read(
        _ file: SnapshotFile,
        at offset: Int,
        count: Int,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<[UInt8]> {
        moving.runIfActive(eventLoop: eventLoop) {
            try self.orFail { () throws(SnapshotError) in try file.read(at: offset, count: count) }
        }
    }

    // MARK: Receiving

    /// Begins to receive a snapshot, or goes on with it.
    func receive(_ name: SnapshotName, sizeBytes: Int) throws -> SnapshotReceiver {
        try orFail { () throws(SnapshotError) in
            try directory.receive(name, sizeBytes: sizeBytes)
        }
    }

    func append(
        _ bytes: [UInt8],
        at offset: Int,
        to receiver: ReceiverBox,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<Void> {
        moving.runIfActive(eventLoop: eventLoop) {
            let isNext = try self.orFail { () throws(SnapshotError) in
                try receiver.receiver.append(bytes, at: offset)
            }
            guard isNext else { throw ConsensusError("a piece of a snapshot out of order") }
        }
    }

    /// Verifies a received snapshot and puts it on disk for good.
    func install(
        _ receiver: ReceiverBox,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<Stored> {
        saving.runIfActive(eventLoop: eventLoop) {
            try self.orFail { () throws(SnapshotError) in
                let loaded = try self.directory.install(receiver.receiver)
                return try Self.stored(loaded, self.directory.path)
            }
        }
    }

    /// Passes on what another server has done wrong; what this disk has done ends the process.
    private func orFail<Value>(_ body: () throws(SnapshotError) -> Value) throws -> Value {
        do throws(SnapshotError) {
            return try body()
        } catch {
            if case .storage = error { fail(error.message) }
            throw ConsensusError(error.message)
        }
    }
}

/// A receiver on its way between the loop and the thread that feeds it.
///
// SAFETY: one piece is written at a time: the transport waits for each future before the next.
final class ReceiverBox: @unchecked Sendable {
    let receiver: SnapshotReceiver

    init(_ receiver: SnapshotReceiver) {
        self.receiver = receiver
    }
}
