import Synchronization

/// The token of requests that bring none of their own.
///
/// A file wins over a token, as it does for Consul's tools: a file can be rotated.
/// - Source: Consul api/api.go, `NewClient`.
final class TokenSource: Sendable {
    private let file: String?
    private let token: Mutex<String?>

    init(_ configuration: ClientConfiguration) throws {
        file = configuration.tokenFile
        let fromFile = try configuration.tokenFile.flatMap(ClientConfiguration.readToken(at:))
        token = Mutex(fromFile ?? configuration.token)
    }

    /// The token now.
    var current: String? {
        token.withLock { token in token.flatMap { $0.isEmpty ? nil : $0 } }
    }

    /// Reads the file again, and says whether the token is another than `refused`.
    func refresh(after refused: String?) -> Bool {
        // An unreadable file keeps the old token; the caller sees the refusal in either case.
        guard let file, let fresh = try? ClientConfiguration.readToken(at: file) else {
            return false
        }
        token.withLock { $0 = fresh }
        return fresh != refused
    }
}
