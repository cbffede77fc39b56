import Dispatch
package import NIOCore
import Synchronization

/// Carries bytes from a thread that makes them to an event loop that sends them.
///
/// Bounded: the thread waits in `send` while `capacity` pieces are on their way.
package final class BytePipe: ByteSource {
    /// Nobody reads any more: the maker should stop.
    package struct Cancelled: Error {}

    private struct State {
        var pieces = CircularBuffer<ByteBuffer>()
        var reader: EventLoopPromise<ByteBuffer?>?
        /// Set once, by the maker.
        var ending: Result<Void, any Error>?
        var isCancelled = false
    }

    private let state = Mutex(State())
    private let room: DispatchSemaphore

    package init(capacity: Int = 4) {
        precondition(capacity > 0, "a pipe for \(capacity) pieces")
        room = DispatchSemaphore(value: 0)
        for _ in 0..<capacity { room.signal() }
    }

    // MARK: The maker's side

    /// Sends a piece; blocks while the pipe is full.
    package func send(_ bytes: UnsafeRawBufferPointer) throws(Cancelled) {
        guard bytes.count > 0 else { return }
        room.wait()
        let piece = ByteBuffer(bytes: bytes)
        enum Action {
            case cancelled
            case queued
            case handOver(EventLoopPromise<ByteBuffer?>)
        }
        let action: Action = state.withLock { state in
            if state.isCancelled { return .cancelled }
            if let reader = state.reader.take() { return .handOver(reader) }
            state.pieces.append(piece)
            return .queued
        }
        switch action {
        case .cancelled:
            room.signal()
            throw Cancelled()
        case .handOver(let reader):
            room.signal()
            reader.succeed(piece)
        case .queued: break
        }
    }

    /// Ends the bytes, whole or with the error that broke them off.
    package func finish(_ ending: Result<Void, any Error> = .success(())) {
        let reader: EventLoopPromise<ByteBuffer?>? = state.withLock { state in
            if state.ending == nil { state.ending = ending }
            return state.reader.take()
        }
        switch ending {
        case .success: reader?.succeed(nil)
        case .failure(let error): reader?.fail(error)
        }
    }

    // MARK: The reader's side

    package func next(on eventLoop: any EventLoop) -> EventLoopFuture<ByteBuffer?> {
        let promise = eventLoop.makePromise(of: ByteBuffer?.self)
        enum Action {
            case piece(ByteBuffer)
            case end(Result<Void, any Error>)
            case wait
        }
        let action: Action = state.withLock { state in
            if let piece = state.pieces.popFirst() { return .piece(piece) }
            if let ending = state.ending { return .end(ending) }
            precondition(state.reader == nil, "a pipe has one reader, who asks once at a time")
            state.reader = promise
            return .wait
        }
        switch action {
        case .piece(let piece):
            room.signal()
            promise.succeed(piece)
        case .end(.success): promise.succeed(nil)
        case .end(.failure(let error)): promise.fail(error)
        case .wait: break
        }
        return promise.futureResult
    }

    package func cancel() {
        let (dropped, reader) = state.withLock { state in
            state.isCancelled = true
            let dropped = state.pieces.count
            state.pieces.removeAll()
            return (dropped, state.reader.take())
        }
        for _ in 0..<dropped { room.signal() }
        reader?.fail(Cancelled())
    }
}
