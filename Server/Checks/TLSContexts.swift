import NIOSSL
import Synchronization

/// The TLS settings of HTTPS checks, made when the first such check runs.
final class TLSContexts: Sendable {
    private struct State {
        var verifying: NIOSSLContext?
        var trusting: NIOSSLContext?
    }

    private let state = Mutex(State())

    func context(skipsVerification: Bool) throws -> NIOSSLContext {
        try state.withLock { state in
            if let known = skipsVerification ? state.trusting : state.verifying { return known }
            var configuration = TLSConfiguration.makeClientConfiguration()
            if skipsVerification { configuration.certificateVerification = .none }
            let context = try NIOSSLContext(configuration: configuration)
            if skipsVerification { state.trusting = context } else { state.verifying = context }
            return context
        }
    }
}
