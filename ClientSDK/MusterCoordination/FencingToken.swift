/// Proof of one tenure of a lock, for the resource that the lock protects.
///
/// A holder that was paused may act after another took over; no lock service can prevent that. The
/// resource can: send ``index`` with every write, let the resource remember the highest it has
/// seen and refuse lower ones.
///
/// **What is guaranteed:** of two tenures of the same key in the same registry, the later one has
/// the greater token. It is the registry's index of the write that took the lock, which never
/// falls, also when the key is deleted in between; ``lockIndex``, Consul's own count of a key's
/// tenures, begins again then. **What is not:** tokens of different keys mean nothing to each
/// other, nor do tokens from before and after a registry lost its state, as a development agent
/// does at every start. Tenures of a semaphore that overlap are not ordered among themselves and
/// may have equal tokens.
///
/// - Source: Consul: Sessions, "The sequencer"; Kleppmann, "How to do distributed locking".
public struct FencingToken: Hashable, Sendable {
    /// The key that is held.
    public let key: String

    /// The session that holds it.
    public let session: String

    /// What orders tenures: the registry's index of the write that took the lock.
    public let index: UInt64

    /// How often the key was locked since it was made; 0 for a semaphore.
    public let lockIndex: UInt64

    /// Makes a token, for tests of what uses it.
    public init(key: String, session: String, index: UInt64, lockIndex: UInt64 = 0) {
        self.key = key
        self.session = session
        self.index = index
        self.lockIndex = lockIndex
    }
}

extension FencingToken: Comparable, CustomStringConvertible {
    /// Whether the left tenure came first.
    public static func < (left: FencingToken, right: FencingToken) -> Bool {
        left.index < right.index
    }

    /// Key and index.
    public var description: String { "\(key)@\(index)" }
}
