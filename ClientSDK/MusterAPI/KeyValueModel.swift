/// An entry of the key/value store.
///
/// - Source: Consul: GET /v1/kv/:key
public struct KeyValuePair: Codable, Hashable, Sendable {
    /// Its key.
    public var key: String

    /// Its value.
    public var value: [UInt8]

    /// A number its writers use as they like.
    public var flags: UInt64

    /// How often it was locked.
    public var lockIndex: UInt64

    /// The session that holds its lock.
    public var session: String?

    /// The index of the write that made it.
    public var createIndex: UInt64

    /// The index of the last write that changed it.
    public var modifyIndex: UInt64

    private enum CodingKeys: String, CodingKey {
        case key = "Key"
        case value = "Value"
        case flags = "Flags"
        case lockIndex = "LockIndex"
        case session = "Session"
        case createIndex = "CreateIndex"
        case modifyIndex = "ModifyIndex"
    }

    /// Makes the value; what is left out is empty.
    public init(
        key: String,
        value: [UInt8] = [],
        flags: UInt64 = 0,
        lockIndex: UInt64 = 0,
        session: String? = nil,
        createIndex: UInt64 = 0,
        modifyIndex: UInt64 = 0
    ) {
        self.key = key
        self.value = value
        self.flags = flags
        self.lockIndex = lockIndex
        self.session = session
        self.createIndex = createIndex
        self.modifyIndex = modifyIndex
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        key = try members.value(.key, or: "")
        value = try members.bytes(.value)
        flags = try members.value(.flags, or: 0)
        lockIndex = try members.value(.lockIndex, or: 0)
        session = try members.optional(.session)
        createIndex = try members.value(.createIndex, or: 0)
        modifyIndex = try members.value(.modifyIndex, or: 0)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(key, forKey: .key)
        try members.encode(Base64Bytes(value), forKey: .value)
        try members.encode(flags, forKey: .flags)
        try members.encode(lockIndex, forKey: .lockIndex)
        try members.encodeIfPresent(session, forKey: .session)
        try members.encode(createIndex, forKey: .createIndex)
        try members.encode(modifyIndex, forKey: .modifyIndex)
    }
}

extension KeyValuePair {
    /// The value read as UTF-8; bytes that are not are replaced.
    public var text: String { String(decoding: value, as: UTF8.self) }
}

/// What a write to a key demands beyond the value.
public struct KeyValueCondition: Hashable, Sendable {
    enum Kind: Hashable {
        case always
        case checkAndSet(UInt64)
        case acquire(String)
        case release(String)
    }

    let kind: Kind

    /// The write happens in any case.
    public static let always = KeyValueCondition(kind: .always)

    /// The write happens only while the key does not exist.
    public static let absent = KeyValueCondition(kind: .checkAndSet(0))

    /// The write happens only while the key's modify index is this one.
    public static func unchanged(since modifyIndex: UInt64) -> KeyValueCondition {
        KeyValueCondition(kind: .checkAndSet(modifyIndex))
    }

    /// The write happens only if the session can take, or already holds, the key's lock.
    public static func acquire(session: String) -> KeyValueCondition {
        KeyValueCondition(kind: .acquire(session))
    }

    /// The write happens only if the session holds the key's lock, which it gives up.
    public static func release(session: String) -> KeyValueCondition {
        KeyValueCondition(kind: .release(session))
    }
}
