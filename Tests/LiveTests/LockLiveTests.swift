import Logging
import MusterAPI
import MusterCoordination
import Synchronization
import Testing

/// Locks and semaphores on a real agent.
@Suite(.live, .timeLimit(.minutes(3))) struct LockLiveTests {
    /// Waits until so many sessions contend for `name`, which they bear as their name.
    static func contenders(
        _ count: Int,
        named name: String,
        _ client: MusterClient
    ) async throws {
        _ = try await Live.eventually {
            try await client.session.list(options: $0)
        } until: {
            $0.filter { $0.name == name }.count == count
        }
    }

    /// Suspends until the task is cancelled.
    static func forever() async {
        let (never, _) = AsyncStream.makeStream(of: Void.self)
        // Ends when cancelled.
        for await _ in never {}
    }

    static func options(_ name: String) -> LockOptions {
        var options = LockOptions()
        options.sessionName = name
        options.logger = Logger(label: "live") { _ in SwiftLogNoOpLogHandler() }
        return options
    }

    @Test func aLockPassesFromOneHolderToTheNextAndTokensRise() async throws {
        try await Live.withClient { client in
            let key = Live.unique("lock")
            let options = Self.options(key)
            let order = Shared<[FencingToken]>([])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        try await client.withLock(key, options: options) { token in
                            let holder = try await client.lockHolder(key)
                            #expect(holder?.session == token.session)
                            order.change { $0.append(token) }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let tokens = order.value
            #expect(tokens == tokens.sorted())
            #expect(tokens.map(\.lockIndex) == [1, 2, 3, 4, 5])
            try await Self.contenders(0, named: key, client)
            #expect(try await client.lockHolder(key) == nil)
        }
    }

    @Test func aSessionThatIsDestroyedByOthersCancelsTheBody() async throws {
        try await Live.withClient { client in
            let key = Live.unique("lock")
            let error = await #expect(throws: CoordinationError.self) {
                try await client.withLock(key) { token in
                    try await client.session.destroy(token.session)
                    await Self.forever()
                }
            }
            #expect(error?.code == .keyLost)
        }
    }

    @Test func aCancelledContenderLeavesNoSessionBehind() async throws {
        try await Live.withClient { client in
            let key = Live.unique("lock")
            let options = Self.options(key)
            try await client.withLock(key, options: options) { _ in
                let second = Task { try await client.withLock(key, options: options) { _ in } }
                try await Self.contenders(2, named: key, client)
                second.cancel()
                _ = await second.result
                try await Self.contenders(1, named: key, client)
            }
            try await Self.contenders(0, named: key, client)
        }
    }

    @Test func aSemaphoreLetsNoMoreInThanItsLimitAndIsEmptyAfterwards() async throws {
        try await Live.withClient { client in
            let prefix = Live.unique("semaphore")
            let options = Self.options(prefix)
            let crowd = Shared((inside: 0, most: 0))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        try await client.withSemaphore(prefix, limit: 3, options: options) { _ in
                            crowd.change {
                                $0.inside += 1
                                $0.most = max($0.most, $0.inside)
                            }
                            _ = try await client.keyValue.list(prefix)
                            crowd.change { $0.inside -= 1 }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect((1...3).contains(crowd.value.most))
            let left = try await client.keyValue.list(prefix).value
            #expect(left.map(\.key) == ["\(prefix)/.lock"])
            #expect(left.first?.text == #"{"Holders":{},"Limit":3}"#)
            try await Self.contenders(0, named: prefix, client)
        }
    }
}

/// A value that several tasks change.
final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock(\.self) }

    func change(_ body: (inout Value) -> Void) { state.withLock { body(&$0) } }
}
