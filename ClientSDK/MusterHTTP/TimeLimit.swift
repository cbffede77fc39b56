import AsyncHTTPClient
import MusterAPI

/// Runs `body` and cancels it when it takes longer than `limit`; throws `deadlineExceeded` then.
func withTimeLimit<Result: Sendable>(
    _ limit: Duration,
    _ clock: TimeSource,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        defer { group.cancelAll() }
        let end = clock.now() + limit
        group.addTask { try await body() }
        group.addTask {
            try await clock.sleep(end)
            return nil
        }
        guard let first = try await group.next(), let result = first else {
            throw HTTPClientError.deadlineExceeded
        }
        return result
    }
}
