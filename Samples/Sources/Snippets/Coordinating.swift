import MusterAPI
import MusterCoordination
import ServiceLifecycle

/// The coordination's article.
func migrate(
    _ registry: MusterClient,
    _ body: @escaping @Sendable (FencingToken) async throws -> Void
) async throws {
    try await registry.withLock("migrations/orders") { token in
        try await body(token)
    }
    try await registry.withSemaphore("reports/running", limit: 3) { token in
        try await body(token)
    }
}

/// Work for one instance at a time.
func leaderWork(
    _ registry: MusterClient,
    rebuild: @escaping @Sendable (FencingToken) async throws -> Void
) -> LeaderElection {
    LeaderElection(key: "jobs/indexer/leader", client: registry) { token in
        while !Task.isCancelled {
            try await rebuild(token)
            try await Task.sleep(for: .seconds(60))
        }
    }
}
