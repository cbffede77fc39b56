import AsyncHTTPClient
import MusterBalancing
import MusterDiscovery
import NIOCore

/// An answer's body that ends its call when it has been read, has broken or is dropped.
struct TrackedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let base: HTTPClientResponse.Body
    let call: OpenCall

    func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator(), call: call)
    }

    struct Iterator: AsyncIteratorProtocol {
        var base: HTTPClientResponse.Body.AsyncIterator
        let call: OpenCall

        mutating func next() async throws -> ByteBuffer? {
            do {
                if let piece = try await base.next() { return piece }
                call.finish()
                return nil
            } catch {
                let isCancelled = Task.isCancelled || FailureKind(error) == .cancelled
                call.complete(isCancelled ? .cancelled : .failure)
                throw error
            }
        }
    }
}
