/// The key/value store: `/v1/kv`.
public struct KeyValueAPI: Sendable {
    let client: MusterClient
}

extension MusterClient {
    /// The key/value store.
    public var keyValue: KeyValueAPI { KeyValueAPI(client: self) }
}

extension KeyValueAPI {
    /// The entry at a key; its index counts also when there is none.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - options: How it is asked; blocks until the key changes when they say so.
    /// - Returns: The entry, nil when there is none.
    /// - Throws: ``MusterError``.
    public func get(
        _ key: String,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<KeyValuePair?> {
        try await client.find([KeyValuePair].self, request("GET", key), options)
            .map { $0?.first }
    }

    /// The bytes at a key as they are, without flags and indexes of the entry.
    ///
    /// They are not sent as base64, which saves a quarter of the bytes of a large value.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - options: How it is asked; blocks until the key changes when they say so.
    /// - Returns: The value, nil when there is no such key.
    /// - Throws: ``MusterError``.
    public func value(
        _ key: String,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[UInt8]?> {
        var request = request("GET", key)
        request.flag("raw", true)
        return try await client.read(request, options).map { $0.status == 404 ? nil : $0.body }
    }

    /// All entries whose keys begin with `prefix`, in key order.
    public func list(
        _ prefix: String,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[KeyValuePair]> {
        var request = request("GET", prefix)
        request.flag("recurse", true)
        return try await client.find([KeyValuePair].self, request, options).map { $0 ?? [] }
    }

    /// The keys that begin with `prefix`, in order.
    ///
    /// - Parameters:
    ///   - prefix: What the keys begin with.
    ///   - separator: Cuts each key after its first appearance behind the prefix, so that a level
    ///     of a tree is listed; nil lists whole keys.
    ///   - options: How it is asked.
    /// - Returns: The keys, empty when there is none.
    /// - Throws: ``MusterError``.
    public func keys(
        _ prefix: String = "",
        separator: String? = nil,
        options: QueryOptions = QueryOptions()
    ) async throws -> Response<[String]> {
        var request = request("GET", prefix)
        request.flag("keys", true)
        request.add("separator", separator)
        return try await client.find([String].self, request, options).map { $0 ?? [] }
    }

    /// Writes a key.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - value: The value, at most 512 KB unless the server allows more.
    ///   - flags: A number that is stored with it.
    ///   - condition: What must hold for the write to happen.
    ///   - options: How the write is asked for.
    /// - Returns: Whether the condition held and the write happened.
    /// - Throws: ``MusterError``.
    @discardableResult
    public func put(
        _ key: String,
        _ value: [UInt8],
        flags: UInt64 = 0,
        if condition: KeyValueCondition = .always,
        options: WriteOptions = WriteOptions()
    ) async throws -> Bool {
        var request = request("PUT", key)
        request.body = value
        if flags != 0 { request.add("flags", String(flags)) }
        switch condition.kind {
        case .always: break
        case .checkAndSet(let index): request.add("cas", String(index))
        case .acquire(let session): request.add("acquire", session)
        case .release(let session): request.add("release", session)
        }
        return try await answer(request, options)
    }

    /// Writes a text to a key; see ``put(_:_:flags:if:options:)``.
    @discardableResult
    public func put(
        _ key: String,
        _ text: String,
        if condition: KeyValueCondition = .always
    ) async throws -> Bool {
        try await put(key, Array(text.utf8), if: condition)
    }

    /// Removes a key.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - modifyIndex: Removes it only while this is its modify index; nil in any case.
    ///   - options: How the write is asked for.
    /// - Returns: Whether the key is gone.
    /// - Throws: ``MusterError``.
    @discardableResult
    public func delete(
        _ key: String,
        ifUnchangedSince modifyIndex: UInt64? = nil,
        options: WriteOptions = WriteOptions()
    ) async throws -> Bool {
        var request = request("DELETE", key)
        request.add("cas", modifyIndex.map(String.init))
        return try await answer(request, options)
    }

    /// Removes all keys that begin with `prefix`; an empty prefix removes everything.
    public func deleteAll(
        prefix: String,
        options: WriteOptions = WriteOptions()
    ) async throws {
        var request = request("DELETE", prefix)
        request.flag("recurse", true)
        try await client.write(request, options)
    }

    private func request(_ method: String, _ key: String) -> RegistryRequest {
        RegistryRequest(method, "/v1/kv/" + RegistryRequest.encode(key))
    }

    private func answer(_ request: RegistryRequest, _ options: WriteOptions) async throws -> Bool {
        let reply = try await client.write(request, options)
        return try MusterClient.decode(Bool.self, from: reply, request)
    }
}
