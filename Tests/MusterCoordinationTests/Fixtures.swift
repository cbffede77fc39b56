import Logging
import MusterAPI
import MusterCoordination
import MusterTesting
import Synchronization

/// A logger that says nothing.
let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// What a lock's test works with.
struct LockFixture {
    let registry: InMemoryRegistry
    let client: MusterClient
    let time: ManualClock
    var options: LockOptions

    /// Takes the lock `k` in a task of its own and holds it until ``Tenant/leave()``.
    func tenant(_ change: (inout LockOptions) -> Void = { _ in }) async throws -> Tenant {
        var options = options
        change(&options)
        let tenant = Tenant(client: client, key: "k", options: options)
        _ = await tenant.began()
        return tenant
    }

    /// Waits until so many blocking queries wait in the registry.
    func queries(_ count: Int) async {
        while registry.waitingCount < count { await Task.yield() }
    }

    /// Waits until the tenant's next renewal is the given time after the start.
    func renewal(at moment: Duration) async {
        _ = await time.sleeper(within: moment...moment)
    }
}

/// Runs a test against a registry in memory, with time under the test's control.
func withLocks(_ body: (LockFixture) async throws -> Void) async throws {
    let time = ManualClock()
    try await InMemoryRegistry.withRegistry(clock: time.source) { registry in
        try await MusterClient.withClient(registry.clientConfiguration) { client in
            var options = LockOptions()
            options.clock = time.source
            options.logger = silent
            // Apart from everything else that a test waits for.
            options.wait = .seconds(101)
            let fixture = LockFixture(
                registry: registry,
                client: client,
                time: time,
                options: options
            )
            try await body(fixture)
        }
    }
}

/// Holds a lock until told to leave, in a task of its own.
struct Tenant {
    let task: Task<Void, any Error>
    private let tokens: AsyncStream<FencingToken>
    private let gate: AsyncStream<Void>.Continuation

    init(client: MusterClient, key: String, options: LockOptions) {
        let (tokens, began) = AsyncStream.makeStream(of: FencingToken.self)
        let (opened, gate) = AsyncStream.makeStream(of: Void.self)
        self.tokens = tokens
        self.gate = gate
        task = Task {
            try await client.withLock(key, options: options) { token in
                began.yield(token)
                // Ends early when cancelled.
                for await _ in opened { break }
                try Task.checkCancellation()
            }
        }
    }

    /// Waits until the lock is held.
    func began() async -> FencingToken {
        for await token in tokens { return token }
        preconditionFailure("the test was cancelled before the lock was held")
    }

    func leave() { gate.yield() }

    /// Why the tenure ended; nil when it ended in order.
    func failure() async -> (any Error)? {
        do { try await task.value } catch { return error }
        return nil
    }
}
