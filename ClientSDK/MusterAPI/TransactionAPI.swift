extension MusterClient {
    /// Runs all operations in one step, or none of them.
    ///
    /// A rollback is an outcome, not an error: see ``TransactionOutcome/failures``.
    ///
    /// - Parameters:
    ///   - operations: At most 64 steps.
    ///   - options: How the write is asked for.
    /// - Returns: What the steps gave, or why nothing happened.
    /// - Throws: ``MusterError`` when the transaction was not even tried.
    public func transaction(
        _ operations: [TransactionOperation],
        options: WriteOptions = WriteOptions()
    ) async throws -> TransactionOutcome {
        var request = RegistryRequest("PUT", "/v1/txn", body: try Self.encode(operations))
        var options = options
        if options.datacenter == nil { options.datacenter = configuration.datacenter }
        request.apply(options)
        let reply = try await send(request)
        guard reply.isSuccess || reply.status == 409 else {
            throw MusterError.refused(
                status: reply.status,
                body: reply.body,
                request: "PUT /v1/txn"
            )
        }
        return try Self.decode(TransactionOutcome.self, from: reply, request)
    }
}
