package import NIOCore

/// The bytes of a snapshot that is being sent; called on the transport's event loop.
package protocol SnapshotSource: AnyObject {
    /// Reads up to `count` bytes from `offset` on, without blocking the loop.
    ///
    /// Fewer bytes are allowed, none are an error.
    func read(at offset: UInt64, count: Int) -> EventLoopFuture<[UInt8]>
    /// Nothing more is read; called once.
    func close()
}

/// Where the bytes of a received snapshot go; called on the transport's event loop.
package protocol SnapshotSink: AnyObject {
    /// Keeps bytes that follow those before them, without blocking the loop.
    ///
    /// The sender is asked for more as these futures succeed.
    func write(_ bytes: [UInt8], at offset: UInt64) -> EventLoopFuture<Void>
    /// All bytes are there: checks and installs them, however long that takes.
    func finish() -> EventLoopFuture<Void>
    /// No more bytes come; what is kept may serve to resume. Not called after `finish`.
    func abandon()
}

/// What an offered snapshot is answered with.
package enum SnapshotReception {
    /// The bytes from `resumeAt` on are wanted; `resumeAt` may be the whole length.
    case accepted(any SnapshotSink, resumeAt: UInt64)
    case refused(String)
}
