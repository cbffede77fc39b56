/// An answer with what the registry says about it.
public struct Response<Value> {
    /// The answer.
    public var value: Value

    /// The registry's index of the answer, for the next blocking query; 0 when there is none.
    public var index: UInt64

    /// The hash of the content, for the next blocking query by hash.
    public var contentHash: String?

    /// Whether the server that answered knew a leader.
    public var knownLeader: Bool

    /// How long before the answer that server had last heard from the leader.
    public var lastContact: Duration

    /// Whether the agent's cache answered; nil when it was not asked.
    public var cacheHit: Bool?

    /// How old a cached answer is.
    public var age: Duration?

    /// What happens to requests that no rule of the token covers: `allow` or `deny`; nil when the
    /// registry does not say, as without access control.
    public var defaultACLPolicy: String?

    /// Whether addresses in the answer are those to use from this datacenter, instead of their own.
    public var hasTranslatedAddresses: Bool

    /// Makes a response.
    public init(
        value: Value,
        index: UInt64 = 0,
        contentHash: String? = nil,
        knownLeader: Bool = true,
        lastContact: Duration = .zero,
        cacheHit: Bool? = nil,
        age: Duration? = nil,
        defaultACLPolicy: String? = nil,
        hasTranslatedAddresses: Bool = false
    ) {
        self.value = value
        self.index = index
        self.contentHash = contentHash
        self.knownLeader = knownLeader
        self.lastContact = lastContact
        self.cacheHit = cacheHit
        self.age = age
        self.defaultACLPolicy = defaultACLPolicy
        self.hasTranslatedAddresses = hasTranslatedAddresses
    }

    /// The same answer with its value changed.
    public func map<Other>(_ transform: (Value) throws -> Other) rethrows -> Response<Other> {
        Response<Other>(
            value: try transform(value),
            index: index,
            contentHash: contentHash,
            knownLeader: knownLeader,
            lastContact: lastContact,
            cacheHit: cacheHit,
            age: age,
            defaultACLPolicy: defaultACLPolicy,
            hasTranslatedAddresses: hasTranslatedAddresses
        )
    }
}

extension Response: Sendable where Value: Sendable {}

extension Response where Value == RegistryReply {
    /// Reads what the headers say.
    ///
    /// The index is a full 64-bit number: events use all of it.
    init(reading reply: RegistryReply) {
        self.init(
            value: reply,
            index: reply.header("X-Consul-Index").flatMap { UInt64($0) } ?? 0,
            contentHash: reply.header("X-Consul-ContentHash"),
            knownLeader: reply.header("X-Consul-KnownLeader") != "false",
            lastContact: .milliseconds(
                reply.header("X-Consul-LastContact").flatMap { Int64($0) } ?? 0
            ),
            cacheHit: reply.header("X-Cache").map { $0 == "HIT" },
            age: reply.header("Age").flatMap { Int64($0) }.map { .seconds($0) },
            defaultACLPolicy: reply.header("X-Consul-Default-ACL-Policy"),
            hasTranslatedAddresses: reply.header("X-Consul-Translate-Addresses") == "true"
        )
    }
}
