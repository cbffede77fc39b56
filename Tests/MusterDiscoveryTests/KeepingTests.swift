import Logging
import MusterAPI
import MusterBalancing
import MusterTesting
import Synchronization
import Testing

@testable import MusterDiscovery

/// Lists kept on disk for a start without a registry.
@Suite(.timeLimit(.minutes(1))) struct KeepingTests {
    private let path = "/v1/health/service/web"

    /// A time of day that a test sets.
    private final class Day: Sendable {
        private let time = Mutex(Duration.seconds(1_800_000_000))
        var clock: WallClock { WallClock { self.time.withLock { $0 } } }
        func advance(by duration: Duration) { time.withLock { $0 += duration } }
    }

    /// Runs a discovery that learns of `ports` and ends, leaving its files behind.
    private func learn(
        _ ports: Int...,
        in directory: String,
        day: Day
    ) async throws {
        try await withDiscovery({
            $0.snapshotDirectory = directory
            $0.wallClock = day.clock
        }) { registry, discovery, _ in
            let list = ports.map { entries($0).dropFirst().dropLast() }.joined(separator: ",")
            async let snapshot = discovery.instances("web")
            await registry.next(path).answer(200, index: 5, "[\(list)]")
            _ = try await snapshot
        }
    }

    /// What a discovery serves a second after its start when its registry refuses connections.
    private func coldStart(in directory: String, day: Day) async throws -> ServiceSnapshot {
        try await withDiscovery({
            $0.snapshotDirectory = directory
            $0.wallClock = day.clock
        }) { registry, discovery, time in
            try await registry.stop()
            let service = discovery.service("web")
            _ = await time.sleeper(within: .seconds(1) ... .seconds(1))
            #expect(service.current == nil)
            time.advance(by: .seconds(1))
            return try await service.firstSnapshot()
        }
    }

    /// What is read of the file of a query.
    private func load(
        in directory: String,
        day: Day,
        logger: Logger = silent
    ) async -> [Instance]? {
        let store = SnapshotStore(
            directory: directory,
            scope: "",
            maximumAge: .seconds(3600),
            wallClock: day.clock,
            logger: logger
        )
        return await store.load("web")?.instances
    }

    @Test func aStartWithTheRegistryDownServesWhatTheLastRunKnew() async throws {
        try await withTemporaryDirectory { directory in
            let day = Day()
            try await learn(80, 81, in: directory, day: day)
            day.advance(by: .seconds(600))
            let snapshot = try await coldStart(in: directory, day: day)
            #expect(ports(snapshot) == [80, 81])
            #expect(snapshot.origin == .disk(age: .seconds(600)))
        }
    }

    @Test func aListThatIsTooOldIsNotServed() async throws {
        try await withTemporaryDirectory { directory in
            let day = Day()
            try await learn(80, in: directory, day: day)
            day.advance(by: .seconds(3600))
            #expect(await load(in: directory, day: day)?.count == 1)
            day.advance(by: .seconds(1))
            let log = LogLines()
            #expect(await load(in: directory, day: day, logger: log.logger) == nil)
            #expect(log.contains("3601 seconds old"))
        }
    }

    @Test func aDayThatWasSetBackMakesTheListNew() async throws {
        try await withTemporaryDirectory { directory in
            let day = Day()
            try await learn(80, in: directory, day: day)
            day.advance(by: .seconds(-86400))
            let snapshot = try await coldStart(in: directory, day: day)
            #expect(snapshot.origin == .disk(age: .zero))
        }
    }

    @Test func aDamagedFileIsToldAndNotServed() async throws {
        try await withTemporaryDirectory { directory in
            let day = Day()
            try await learn(80, in: directory, day: day)
            let folder = SnapshotDirectory(path: directory)
            let name = try #require(files(in: directory).first { $0.hasSuffix(".instances") })
            var bytes = try #require(try folder.contents(of: name, atMost: 1 << 20))
            bytes[bytes.count - 1] ^= 1
            try folder.replace(name, with: bytes)
            let log = LogLines()
            #expect(await load(in: directory, day: day, logger: log.logger) == nil)
            #expect(log.contains("checksum"))
            #expect(log.contains(name))
        }
    }

    @Test func noFileIsNoTrouble() async throws {
        try await withTemporaryDirectory { directory in
            let log = LogLines()
            #expect(await load(in: directory, day: Day(), logger: log.logger) == nil)
            #expect(!log.contains(""))
        }
    }

    @Test func theFilesHoldNoTokenAreReadByTheirUserAloneAndLeaveNoTemporaryOnes() async throws {
        try await withTemporaryDirectory { directory in
            let day = Day()
            try await learn(80, in: directory + "/deep/er", day: day)
            let names = files(in: directory + "/deep/er")
            #expect(names.count == 2)
            #expect(names.contains("lock"))
            let name = try #require(names.first { $0.hasSuffix(".instances") })
            #expect(permissions(of: "\(directory)/deep/er/\(name)") == 0o600)
            let bytes = try SnapshotDirectory(path: directory + "/deep/er")
                .contents(of: name, atMost: 1 << 20)
            let text = String(decoding: bytes ?? [], as: UTF8.self)
            #expect(text.contains("web-80"))
            #expect(!text.contains(secretToken))
        }
    }

    @Test func ofTwoThatShareADirectoryOneWritesAndBothRead() async throws {
        try await withTemporaryDirectory { directory in
            let day = Day()
            let folder = SnapshotDirectory(path: directory)
            let lock = try #require(try folder.lock())
            let second = try folder.lock()
            #expect(second == nil)
            try await learn(80, in: directory, day: day)
            #expect(files(in: directory) == ["lock"])
            folder.unlock(lock)
            try await learn(80, in: directory, day: day)
            let other = try #require(try folder.lock())
            defer { folder.unlock(other) }
            let snapshot = try await coldStart(in: directory, day: day)
            #expect(ports(snapshot) == [80])
        }
    }

    @Test func aDirectoryThatCannotBeMadeIsToldAndLookupsGoOn() async throws {
        let log = LogLines()
        try await withDiscovery({ $0.snapshotDirectory = "/proc/nowhere" }, logger: log.logger) {
            registry,
            discovery,
            _ in
            async let snapshot = discovery.instances("web")
            await registry.next(path).answer(200, index: 5, entries(80))
            let found = try await snapshot
            #expect(ports(found) == [80])
        }
        #expect(log.contains("cannot be kept"))
        #expect(log.contains("/proc/nowhere"))
    }

    @Test func aQuickAnswerIsNotReplacedByTheDisk() async throws {
        try await withTemporaryDirectory { directory in
            let day = Day()
            try await learn(80, in: directory, day: day)
            try await withDiscovery({
                $0.snapshotDirectory = directory
                $0.wallClock = day.clock
            }) { registry, discovery, time in
                let service = discovery.service("web")
                _ = await time.sleeper(within: .seconds(1) ... .seconds(1))
                await registry.next(path).answer(200, index: 5, entries(90))
                let found = try await service.firstSnapshot()
                #expect(ports(found) == [90])
                let hanging = await registry.next(path)
                time.advance(by: .seconds(2))
                hanging.answer(200, index: 6, entries(90, 91))
                while ports(service.current) != [90, 91] { await Task.yield() }
                #expect(service.current?.origin == .live)
            }
        }
    }

    @Test func changesAreWrittenWhileTheDiscoveryRuns() async throws {
        try await withTemporaryDirectory { directory in
            try await withDiscovery({ $0.snapshotDirectory = directory }) {
                registry,
                discovery,
                time in
                let service = discovery.service("web")
                await registry.next(path).answer(200, index: 5, entries(80))
                _ = try await service.firstSnapshot()
                while files(in: directory).count < 2 {
                    time.advanceToSleeper(within: .seconds(2))
                    await Task.yield()
                }
            }
        }
    }
}
