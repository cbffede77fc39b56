import MusterAPI
import MusterCoordination
import MusterTesting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct SemaphoreTests {
    /// How many were inside at the same time.
    private final class Crowd: Sendable {
        private let state = Mutex((inside: 0, most: 0, entered: 0))

        var most: Int { state.withLock(\.most) }
        var entered: Int { state.withLock(\.entered) }

        func enter() {
            state.withLock { state in
                state.inside += 1
                state.entered += 1
                state.most = max(state.most, state.inside)
            }
        }

        func leave() { state.withLock { $0.inside -= 1 } }
    }

    @Test func noMoreThanTheLimitAreInsideAndNothingIsLeftBehind() async throws {
        try await withLocks { fixture in
            var options = fixture.options
            options.clock = .system
            let crowd = Crowd()
            let (client, shared) = (fixture.client, options)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        try await client.withSemaphore("s", limit: 2, options: shared) { _ in
                            crowd.enter()
                            for _ in 0..<200 { await Task.yield() }
                            crowd.leave()
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(crowd.entered == 6)
            #expect(crowd.most <= 2)
            let contents = fixture.registry.contents
            #expect(contents.sessions.isEmpty)
            #expect(contents.keys.keys.sorted() == ["s/.lock"])
            #expect(contents.keys["s/.lock"]?.text == #"{"Holders":{},"Limit":2}"#)
        }
    }

    @Test func aHolderWhosePlaceIsTakenAwayIsCancelled() async throws {
        try await withLocks { fixture in
            let registry = fixture.registry
            let error = await #expect(throws: CoordinationError.self) {
                try await fixture.client.withSemaphore(
                    "s/",
                    limit: 1,
                    options: fixture.options
                ) { token in
                    registry.invalidate(sessionID: token.session)
                    let (never, _) = AsyncStream.makeStream(of: Void.self)
                    // Ends when cancelled.
                    for await _ in never {}
                }
            }
            #expect(error?.code == .keyLost)
        }
    }

    @Test func aContenderThatIsCancelledLeavesNoKeyBehind() async throws {
        try await withLocks { fixture in
            let (client, options) = (fixture.client, fixture.options)
            try await client.withSemaphore("s", limit: 1, options: options) { token in
                let second = Task {
                    try await client.withSemaphore("s", limit: 1, options: options) { _ in }
                }
                _ = try await fixture.registry.contents { $0.keys.count == 3 }
                second.cancel()
                #expect(await second.result.isCancelled)
                let keys = fixture.registry.contents.keys.keys
                #expect(Set(keys) == ["s/.lock", "s/\(token.session)"])
            }
        }
    }

    @Test func contendersMustAgreeOnTheLimit() async throws {
        try await withLocks { fixture in
            let (client, options) = (fixture.client, fixture.options)
            try await client.withSemaphore("s", limit: 2, options: options) { _ in
                let error = await #expect(throws: CoordinationError.self) {
                    try await client.withSemaphore("s", limit: 3, options: options) { _ in }
                }
                #expect(error?.code == .limitConflict)
            }
            #expect(fixture.registry.contents.sessions.isEmpty)
        }
    }

    @Test(arguments: [-1, 0, 65_537])
    func aLimitThatCannotBeIsRefusedAtOnce(limit: Int) async throws {
        try await withLocks { fixture in
            let error = await #expect(throws: CoordinationError.self) {
                try await fixture.client.withSemaphore(
                    "s",
                    limit: limit,
                    options: fixture.options
                ) { _ in }
            }
            #expect(error?.code == .limitConflict)
            #expect(fixture.registry.requestCount == 0)
        }
    }

    @Test func aPrefixThatHoldsALockIsAConflict() async throws {
        try await withLocks { fixture in
            let (client, options) = (fixture.client, fixture.options)
            try await client.withLock("s/.lock", options: options) { _ in
                let error = await #expect(throws: CoordinationError.self) {
                    try await client.withSemaphore("s", limit: 1, options: options) { _ in }
                }
                #expect(error?.code == .conflict)
            }
        }
    }
}

extension Result where Failure == any Error {
    /// Whether it is the error of a cancelled task.
    var isCancelled: Bool {
        if case .failure(let error) = self { error is CancellationError } else { false }
    }
}
