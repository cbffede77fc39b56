/// Saving and restoring the whole registry: `/v1/snapshot`.
public struct SnapshotAPI: Sendable {
    let client: MusterClient
}

extension MusterClient {
    /// Saving and restoring the whole registry.
    public var snapshot: SnapshotAPI { SnapshotAPI(client: self) }
}

extension SnapshotAPI {
    /// How long a snapshot may take on its way, unless the request says otherwise.
    private static let timeout = Duration.seconds(3600)

    /// Saves the registry: hands on the pieces of an archive, in order, as they come.
    ///
    /// The archive is whole only when the call returns. Its index is that of the state it holds.
    ///
    /// - Parameters:
    ///   - options: How it is asked for; `stale` lets any server answer.
    ///   - handle: Takes the next piece.
    /// - Returns: The index, and how fresh the answer is.
    /// - Throws: ``MusterError``, or what `handle` threw.
    public func save(
        options: QueryOptions = QueryOptions(),
        _ handle: ([UInt8]) async throws -> Void
    ) async throws -> Response<Void> {
        var request = RegistryRequest("GET", "/v1/snapshot")
        request.timeout = Self.timeout
        return try await client.download(request, options, handle)
    }

    /// Replaces the registry by what an archive holds, on every server.
    ///
    /// - Parameters:
    ///   - pieces: The archive's bytes.
    ///   - length: How many they are.
    ///   - options: How it is asked for.
    /// - Throws: ``MusterError``.
    public func restore<Pieces: AsyncSequence & Sendable>(
        _ pieces: Pieces,
        length: Int,
        options: WriteOptions = WriteOptions()
    ) async throws where Pieces.Element == [UInt8] {
        var request = RegistryRequest("PUT", "/v1/snapshot")
        request.timeout = Self.timeout
        try await client.upload(request, options, length: length, pieces)
    }
}
