package import NIOCore

/// What bounds the HTTP API, and what happens at each bound.
package struct HTTPLimits: Sendable {
    /// Bytes of a request's head; beyond it the answer is 431 and the connection ends.
    package var requestHeadBytes = 64 * 1024
    /// Header fields of a request; beyond it the answer is 431 and the connection ends.
    package var requestHeaderFields = 128
    /// Bytes of a request body on routes that name no other bound; beyond it the answer is 413.
    package var requestBodyBytes = 2 * 1024 * 1024
    /// Bytes of a value written to a key; beyond it the answer is 413.
    ///
    /// - Source: Consul: docs/agent/options `limits.kv_max_value_size`.
    package var keyValueBytes = 512 * 1024
    /// Bytes of a transaction's body; beyond it the answer is 413.
    ///
    /// - Source: Consul: docs/agent/options `limits.txn_max_req_len`.
    package var transactionBytes = 512 * 1024
    /// Bytes of a snapshot that is restored, kept in a file meanwhile; beyond it the answer is 413.
    package var uploadBytes = 1 << 30
    /// Where uploads are kept, in files without a name.
    package var uploadDirectory = "/tmp"
    /// Operations of one transaction; beyond it the answer is 413.
    package var transactionOperations = 64
    /// Open connections of all clients together; a further one gets 429 and is closed.
    package var connections = 60_000
    /// Open connections of one client address; a further one gets 429 and is closed.
    ///
    /// - Source: Consul: docs/agent/options `limits.http_max_conns_per_client`.
    package var connectionsPerClient = 200
    /// Requests of one connection that wait behind the one being answered; at the bound the
    /// connection is not read until one was answered.
    package var pipelinedRequests = 32
    /// Blocking queries that wait on one event loop; a further one is answered at once.
    package var parkedQueriesPerLoop = 50_000
    /// Prepared replies that one event loop keeps; the oldest of its bucket gives way.
    package var preparedRepliesPerLoop = 1024
    /// Bytes of prepared replies that one event loop keeps; at the bound no further one is kept.
    package var preparedBytesPerLoop = 32 * 1024 * 1024
    /// Queries whose `cached` state is remembered; at the bound the memory starts anew.
    package var rememberedCachedQueries = 8192
    /// Blocks of header fields that one event loop knows the meaning of; one gives way to another.
    package var knownFieldBlocksPerLoop = 256
    /// Bytes of such a block; a longer one is decoded anew every time.
    package var knownFieldBytes = 1024
    /// From a request head's first byte to its last; then the connection ends.
    package var headTimeout = TimeAmount.seconds(30)
    /// Between two reads of a request's body; then the connection ends.
    package var bodyTimeout = TimeAmount.seconds(60)
    /// Without any request; then the connection ends.
    package var idleTimeout = TimeAmount.minutes(10)
    /// Between two pieces of a reply that the client takes; then the connection ends.
    package var writeTimeout = TimeAmount.seconds(60)
    /// How often connections are looked over for the four times above.
    package var sweepInterval = TimeAmount.seconds(5)
    /// The shortest time to live of a session.
    ///
    /// - Source: Consul: docs/agent/options `session_ttl_min`.
    package var leastSessionTTL = TimeAmount.seconds(10)
    /// The longest a blocking query waits.
    ///
    /// - Source: Consul: docs/agent/options `max_query_time`.
    package var maximumQueryTime = TimeAmount.seconds(600)
    /// How long a blocking query waits that does not say.
    ///
    /// - Source: Consul: docs/agent/options `default_query_time`.
    package var defaultQueryTime = TimeAmount.seconds(300)

    package init() {}
}
