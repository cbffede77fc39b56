import MusterAPI
import MusterCoordination
import MusterTesting
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct LeaderElectionTests {
    /// An instance of an application that tells when it leads, and leads until cancelled.
    private struct Candidate {
        let election: LeaderElection
        private let terms: AsyncStream<FencingToken>

        init(_ fixture: LockFixture) {
            let (terms, began) = AsyncStream.makeStream(of: FencingToken.self)
            self.terms = terms
            var options = fixture.options
            options.clock = .system
            election = LeaderElection(
                key: "leader",
                client: fixture.client,
                options: options
            ) { token in
                began.yield(token)
                let (never, _) = AsyncStream.makeStream(of: Void.self)
                // Ends when cancelled.
                for await _ in never {}
            }
        }

        func elected() async -> FencingToken {
            for await token in terms { return token }
            preconditionFailure("the test was cancelled before anyone was elected")
        }
    }

    @Test func onGracefulShutdownAnotherInstanceIsElectedAtOnce() async throws {
        try await withLocks { fixture in
            let (first, second) = (Candidate(fixture), Candidate(fixture))
            let (client, registry) = (fixture.client, fixture.registry)
            let (start, started) = AsyncStream.makeStream(of: Void.self)
            // Outside of the first one's lifecycle.
            let other = Task { [election = second.election] in
                for await _ in start { break }
                try await election.run()
            }
            try await testGracefulShutdown { lifecycle in
                let running = Task { [election = first.election] in try await election.run() }
                let token = await first.elected()
                #expect(first.election.token == token)
                #expect(try await client.lockHolder("leader")?.session == token.session)
                started.yield()
                _ = try await registry.contents { $0.sessions.count == 2 }
                #expect(!second.election.isLeader)
                lifecycle.triggerGracefulShutdown()
                try await running.value
                #expect(!first.election.isLeader)
                #expect(await second.elected() > token)
            }
            other.cancel()
            try await other.value
            #expect(registry.contents.sessions.isEmpty)
        }
    }

    @Test func anInstanceThatLostLeadershipStandsAgainWithANewSession() async throws {
        try await withLocks { fixture in
            let candidate = Candidate(fixture)
            let running = Task { try await candidate.election.run() }
            let first = await candidate.elected()
            // Deleted, the key is not kept closed for the lock's delay.
            fixture.registry.set(nil, forKey: "leader")
            let second = await candidate.elected()
            #expect(second > first)
            #expect(second.session != first.session)
            running.cancel()
            try await running.value
        }
    }

    @Test func anErrorOfTheLeaderEndsTheRunAndReleasesLeadership() async throws {
        struct Broken: Error {}
        try await withLocks { fixture in
            let election = LeaderElection(
                key: "leader",
                client: fixture.client,
                options: fixture.options
            ) { _ in throw Broken() }
            await #expect(throws: Broken.self) { try await election.run() }
            #expect(!election.isLeader)
            #expect(fixture.registry.contents.sessions.isEmpty)
        }
    }

    @Test func anInstanceThatResignsStaysOutOfTheElectionForAWhile() async throws {
        try await withLocks { fixture in
            let (terms, began) = AsyncStream.makeStream(of: FencingToken.self)
            let election = LeaderElection(
                key: "leader",
                client: fixture.client,
                options: fixture.options,
                pause: .seconds(5)
            ) { token in began.yield(token) }
            let running = Task { try await election.run() }
            var seen: [FencingToken] = []
            for await token in terms {
                seen.append(token)
                if seen.count == 2 { break }
                _ = await fixture.time.sleeper(within: .seconds(5) ... .seconds(5))
                #expect(fixture.registry.contents.keys["leader"]?.session == nil)
                fixture.time.advance(by: .seconds(5))
            }
            #expect(seen[0] < seen[1])
            running.cancel()
            try await running.value
        }
    }
}
