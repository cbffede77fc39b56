#if GRPC
import GRPCNIOTransportHTTP2Posix
import MusterAPI
import MusterBalancing
import Synchronization

/// The connection to one instance and the streams that use it.
///
/// A stream that was opened but not written to yet is unknown to the connection, which would close
/// under it: so the streams are counted here, and the connection ends after the last one.
final class Backend: Sendable {
    private struct State {
        var streams = 0
        var isRetired = false
    }

    let endpoint: ServiceEndpoint
    let transport: HTTP2ClientTransport.Posix
    private let state = Mutex(State())
    private let over = Doorbell()

    init(endpoint: ServiceEndpoint, transport: HTTP2ClientTransport.Posix) {
        self.endpoint = endpoint
        self.transport = transport
    }

    /// Whether it takes no new streams.
    var isRetired: Bool { state.withLock(\.isRetired) }

    /// Counts a stream; false when it takes no new ones.
    func begin() -> Bool {
        state.withLock { state in
            guard !state.isRetired else { return false }
            state.streams += 1
            return true
        }
    }

    /// Uncounts a stream.
    func end() {
        let isOver = state.withLock { state in
            state.streams -= 1
            return state.isRetired && state.streams == 0
        }
        if isOver { over.ring() }
    }

    /// Takes no new streams; ends the connection after the last one.
    func retire() {
        let isOver = state.withLock { state in
            state.isRetired = true
            return state.streams == 0
        }
        if isOver { over.ring() }
    }

    /// Keeps the connection until it is retired and its last stream has ended.
    ///
    /// The transport itself is cancelled then: nothing uses it, and its own shutdown hangs when it
    /// could not resolve a host name.
    func run(onEnd: @escaping @Sendable (any Error) -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await self.transport.connect() } catch { onEnd(error) }
            }
            await over.wait()
            group.cancelAll()
        }
    }
}
#endif
