import Model
import NIOCore
import NIOPosix
import StateStore
import Synchronization
import Testing

@testable import Replica

@Suite struct PublicationTests {
    private static func write(_ number: Int) -> Command {
        var entry = KeyValueEntry()
        entry.key = "count"
        entry.value = Array(String(number).utf8)
        return .keyValue(KeyValueCommand(operation: .set, entry: entry))
    }

    private static func count(in state: Published) -> Int {
        let value = state.store.keyValue("count").value?.entry.value ?? []
        return Int(String(decoding: value, as: UTF8.self)) ?? 0
    }

    @Test func `A state that nobody had asked for is made once, by the first who does`() {
        var limits = ReplicaLimits()
        limits.eagerCommits = 0
        let world = World(limits: limits)
        world.set("a")
        world.set("b")
        let first = world.replica.current
        #expect(first === world.replica.current)
        #expect(first.generation == world.replica.generation)
        #expect(first.store.keyValue("b").value != nil)
        world.set("c")
        #expect(first.store.keyValue("c").value == nil)
        #expect(world.replica.current.store.keyValue("c").value != nil)
    }

    @Test func `Commits after a read have their state prepared, and the later ones have not`() {
        var limits = ReplicaLimits()
        limits.eagerCommits = 3
        let world = World(limits: limits)
        let isPrepared = { world.replica.publication.withLock { $0.current != nil } }
        world.set("a")
        #expect(!isPrepared())
        _ = world.replica.current
        var prepared: [Bool] = []
        for number in 0..<4 {
            world.set("key-\(number)")
            prepared.append(isPrepared())
        }
        #expect(prepared == [true, true, false, false])
    }

    /// With 0 every state is made by a reader, with 16 most are prepared.
    @Test(arguments: [0, 1, 16])
    func `Readers on any thread find every answered write and never go back`(
        eagerCommits: Int
    ) async throws {
        let server = LogServer(id: "s1", nodeName: "one", address: "127.0.0.1:8300", isVoter: true)
        var limits = ReplicaLimits()
        limits.eagerCommits = eagerCommits
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let replica = Replica(
            eventLoop: group.next(),
            log: InMemoryLog(server: server),
            limits: limits,
            wallClock: { Timestamp(nanosecondsSinceEpoch: 1_000_000_000) }
        )
        replica.start()
        let answered = Answered()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for number in 1...500 {
                    let result = try await replica.propose(Self.write(number))
                    #expect(result == .done)
                    answered.number.store(number, ordering: .releasing)
                }
            }
            for _ in 0..<3 {
                tasks.addTask {
                    var last = (count: 0, generation: UInt64(0))
                    while last.count < 500 {
                        let least = answered.number.load(ordering: .acquiring)
                        let state = replica.current
                        let count = Self.count(in: state)
                        #expect(count >= least && count >= last.count)
                        #expect(state.generation >= last.generation)
                        #expect(Self.count(in: state) == count, "a published state changed")
                        last = (count, state.generation)
                        await Task.yield()
                    }
                }
            }
            try await tasks.waitForAll()
        }
        await replica.stop()
        try await group.shutdownGracefully()
    }
}

/// The last write that was answered.
private final class Answered: Sendable {
    let number = Atomic<Int>(0)
}
