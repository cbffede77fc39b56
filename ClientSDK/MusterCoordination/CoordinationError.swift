/// Why a lock was not taken, or did not last.
///
/// What the registry refuses is a `MusterError`; cancellation is a `CancellationError`.
public struct CoordinationError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure; more may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name.
        public let description: String

        private init(_ description: String) { self.description = description }

        /// The lock was not free in time.
        public static let timeout = Code("timeout")
        /// The key exists and is no lock of this kind.
        public static let conflict = Code("conflict")
        /// The semaphore exists with another limit, or the limit cannot be used.
        public static let limitConflict = Code("limit conflict")
        /// The semaphore's record cannot be read.
        public static let damaged = Code("damaged")
        /// The registry ended the session while the lock was held.
        public static let sessionInvalidated = Code("session invalidated")
        /// The session could not be renewed within its TTL: another may hold the lock soon.
        public static let sessionExpired = Code("session expired")
        /// The key was deleted, released or taken while the lock was held.
        public static let keyLost = Code("key lost")
    }

    /// The kind of failure.
    public var code: Code

    /// The key, or the semaphore's prefix.
    public var key: String

    /// What is wrong, in a sentence.
    public var message: String

    /// Makes an error.
    public init(code: Code, key: String, message: String) {
        self.code = code
        self.key = key
        self.message = message
    }

    /// Whether the lock was held and then lost.
    public var isLoss: Bool {
        [.sessionInvalidated, .sessionExpired, .keyLost].contains(code)
    }

    /// Code, key and message in one line.
    public var description: String { "\(code): \(message) (\(key))" }
}
