extension MusterClient {
    /// Follows the answer to a query as it is: for endpoints that have no typed watch.
    ///
    /// A missing key or prefix (404) is an answer like any other: the watch blocks on and sees it
    /// appear. Distinct watches hold one connection each while they are waited on.
    ///
    /// - Parameters:
    ///   - path: The percent-encoded path from `/v1` on.
    ///   - query: Further parameters.
    ///   - options: How it is asked; the watch sets the index itself, and a wait of 60 seconds
    ///     unless they say another.
    ///   - clock: What the time is taken from.
    /// - Returns: A sequence of the answers with status 200, or 404.
    public func watch(
        _ path: String,
        query: [(name: String, value: String?)] = [],
        options: QueryOptions = QueryOptions(),
        clock: TimeSource = .system
    ) -> RegistryWatch<RegistryReply> {
        watch(path, query: query, options: options, clock: clock) { $0 }
    }

    /// Follows the answer to a query, read by `decode`.
    ///
    /// - Parameters:
    ///   - path: The percent-encoded path from `/v1` on.
    ///   - query: Further parameters.
    ///   - options: How it is asked; the watch sets the index itself, and a wait of 60 seconds
    ///     unless they say another.
    ///   - clock: What the time is taken from.
    ///   - decode: Reads an answer with status 200, or 404; called once for each that differs
    ///     from the one before. What it throws is a failure of the query.
    /// - Returns: A sequence of what `decode` makes of the answers.
    public func watch<Value: Sendable>(
        _ path: String,
        query: [(name: String, value: String?)] = [],
        options: QueryOptions = QueryOptions(),
        clock: TimeSource = .system,
        decode: @escaping @Sendable (RegistryReply) throws -> Value
    ) -> RegistryWatch<Value> {
        RegistryWatch(
            WatchSource(
                client: self,
                request: RegistryRequest("GET", path, query: query),
                options: options,
                clock: clock,
                decode: decode
            )
        )
    }
}

extension KeyValueAPI {
    /// Follows a key: its entry, nil while there is none.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - options: How it is asked; see ``MusterClient/watch(_:query:options:clock:)``.
    ///   - clock: What the time is taken from.
    /// - Returns: A sequence of the key's entries; its deletion is a change.
    public func watch(
        _ key: String,
        options: QueryOptions = QueryOptions(),
        clock: TimeSource = .system
    ) -> RegistryWatch<KeyValuePair?> {
        client.watch(Self.path(key), options: options, clock: clock) { reply in
            reply.status == 404 ? nil : try reply.decode([KeyValuePair]?.self)?.first
        }
    }

    /// Follows all entries whose keys begin with `prefix`, in key order; empty while there is none.
    ///
    /// Each answer is one consistent state of the whole prefix.
    ///
    /// - Parameters:
    ///   - prefix: What the keys begin with.
    ///   - options: How it is asked; see ``MusterClient/watch(_:query:options:clock:)``.
    ///   - clock: What the time is taken from.
    /// - Returns: A sequence of the entries.
    public func watch(
        prefix: String,
        options: QueryOptions = QueryOptions(),
        clock: TimeSource = .system
    ) -> RegistryWatch<[KeyValuePair]> {
        client.watch(
            Self.path(prefix),
            query: [("recurse", nil)],
            options: options,
            clock: clock
        ) { reply in
            reply.status == 404 ? [] : try reply.decode([KeyValuePair]?.self) ?? []
        }
    }

    private static func path(_ key: String) -> String { "/v1/kv/" + RegistryRequest.encode(key) }
}
