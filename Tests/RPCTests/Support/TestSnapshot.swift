import NIOCore
import RPC

/// A snapshot's bytes in memory.
final class TestSource: SnapshotSource {
    let bytes: [UInt8]
    private let loop: any EventLoop
    /// Reads end here with an error, or with nothing.
    var failsAt: UInt64?
    var endsAt: Int?
    private(set) var isClosed = false
    private(set) var reads: [UInt64] = []

    init(_ bytes: [UInt8], on loop: any EventLoop) {
        self.bytes = bytes
        self.loop = loop
    }

    func read(at offset: UInt64, count: Int) -> EventLoopFuture<[UInt8]> {
        reads.append(offset)
        if let failsAt, offset >= failsAt { return loop.makeFailedFuture(TestFailure()) }
        let start = Int(offset)
        let end = min(start + count, endsAt ?? bytes.count)
        return loop.makeSucceededFuture(start < end ? Array(bytes[start..<end]) : [])
    }

    func close() {
        isClosed = true
    }
}

/// Keeps a snapshot in memory, in parts that may come over several connections.
final class TestSink: SnapshotSink {
    private let loop: any EventLoop
    var bytes: [UInt8] = []
    /// Writes from here on fail.
    var failsAt: UInt64?
    var finishFails = false
    /// Writes are answered only when this is called for them.
    var isHeld = false
    var held: [EventLoopPromise<Void>] = []
    private(set) var finished = 0
    private(set) var abandoned = 0
    var notify: () -> Void = {}

    init(on loop: any EventLoop) {
        self.loop = loop
    }

    func write(_ bytes: [UInt8], at offset: UInt64) -> EventLoopFuture<Void> {
        if let failsAt, offset >= failsAt { return loop.makeFailedFuture(TestFailure()) }
        self.bytes.replaceSubrange(Int(offset)..., with: bytes)
        defer { notify() }
        guard isHeld else { return loop.makeSucceededVoidFuture() }
        let promise = loop.makePromise(of: Void.self)
        held.append(promise)
        return promise.futureResult
    }

    func finish() -> EventLoopFuture<Void> {
        finished += 1
        return finishFails ? loop.makeFailedFuture(TestFailure()) : loop.makeSucceededVoidFuture()
    }

    func abandon() {
        abandoned += 1
        notify()
    }
}

struct TestFailure: Error {}
