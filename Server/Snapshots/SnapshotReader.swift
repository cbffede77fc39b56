package import StateStore

/// Reads an archive, ours or Consul's, into a store.
///
/// Feed it the archive in pieces of any size, then ask for the result: there is none before
/// everything was verified.
package final class SnapshotReader {
    private let archive: ArchiveReader
    private let storeLimits: StateStoreLimits
    private var framer = RecordFramer()
    private var restorer: StateRestorer?

    package init(
        limits: SnapshotLimits = .init(),
        storeLimits: StateStoreLimits = .init()
    ) throws(SnapshotError) {
        archive = try ArchiveReader(limits: limits)
        self.storeLimits = storeLimits
    }

    /// Takes the next bytes of the archive.
    package func consume(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) {
        try archive.consume(bytes) { (content) throws(SnapshotError) in
            try self.takeState(content)
        }
    }

    package func consume(_ bytes: [UInt8]) throws(SnapshotError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(SnapshotError) in
            try consume(UnsafeRawBufferPointer(bytes))
        }
    }

    /// Ends the archive and gives what it held; the reader is worth nothing afterwards.
    package func finish() throws(SnapshotError) -> (
        metadata: SnapshotMetadata, store: StateStore
    ) {
        let metadata = try archive.finish()
        do throws(StateStreamError) {
            try framer.finish { (frame) throws(StateStreamError) in
                try self.restorer?.add(frame)
            }
            guard var restorer else {
                throw StateStreamError(.truncated, at: 0, "the stream is empty")
            }
            self.restorer = nil
            let store = try restorer.finish(lastIndex: metadata.stateIndex)
            return (metadata, store)
        } catch {
            throw .state(error)
        }
    }

    private func takeState(_ content: UnsafeRawBufferPointer) throws(SnapshotError) {
        do throws(StateStreamError) {
            if restorer == nil {
                restorer = try StateRestorer(
                    limits: storeLimits,
                    carried: archive.carriedState
                )
            }
            try framer.consume(content) { (frame) throws(StateStreamError) in
                try self.restorer?.add(frame)
            }
        } catch {
            throw .state(error)
        }
    }
}
