package import Model
package import NIOCore

/// Saving and restoring the whole registry, as the routes of `/v1/snapshot` see it.
///
/// Calls come on event loops and must not block; completions may come on any thread.
package protocol SnapshotPort: Sendable {
    /// Takes a snapshot of this server's state (`stale`) or of what the cluster has agreed on.
    func save(
        stale: Bool,
        completion: @escaping @Sendable (Result<SavedSnapshot, SnapshotRefusal>) -> Void
    )

    /// Replaces the registry by what the archive holds, on every server.
    ///
    /// The archive is what a client sent, not looked at yet; it lives as long as it is referred to.
    func restore(
        _ archive: UploadedBody,
        completion: @escaping @Sendable (Result<Void, SnapshotRefusal>) -> Void
    )
}

/// A snapshot on its way to a client.
package struct SavedSnapshot: Sendable {
    /// The index of the state it holds: `X-Consul-Index`.
    package let index: LogIndex
    package let knowsLeader: Bool
    /// How long ago the leader was heard, in milliseconds; 0 on the leader.
    package let lastContactMilliseconds: UInt64
    /// The archive.
    package let source: any ByteSource

    package init(
        index: LogIndex,
        knowsLeader: Bool,
        lastContactMilliseconds: UInt64,
        source: any ByteSource
    ) {
        self.index = index
        self.knowsLeader = knowsLeader
        self.lastContactMilliseconds = lastContactMilliseconds
        self.source = source
    }
}

/// Why a snapshot was not taken or not restored; the message is the reply's body.
package struct SnapshotRefusal: Error, Hashable, Sendable {
    package let status: Status
    package let message: String

    package init(_ message: String, status: Status = .internalError) {
        self.message = message
        self.status = status
    }
}

/// Bytes that are made while they are sent; asked for one piece at a time.
package protocol ByteSource: Sendable {
    /// The next piece, or nil behind the last one.
    ///
    /// A failure breaks the reply off, so that the client sees that it is not whole.
    func next(on eventLoop: any EventLoop) -> EventLoopFuture<ByteBuffer?>
    /// Nobody wants the rest.
    func cancel()
}
