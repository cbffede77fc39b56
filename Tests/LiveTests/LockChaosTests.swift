import MusterAPI
import MusterCoordination
import Testing

/// Many contenders for one lock on a registry that is killed and started again.
@Suite(.live, .ownAgent, .timeLimit(.minutes(4))) struct LockChaosTests {
    /// What the contenders saw, for the checker.
    struct History: Sendable {
        enum Event: Hashable, Sendable {
            case began(FencingToken)
            case ended(FencingToken)
        }

        var events: [Event] = []

        /// How many tenures there were.
        var tenures: Int { events.count { if case .began = $0 { true } else { false } } }

        /// What contradicts that at most one held the lock at any time.
        ///
        /// By the registry's own order: no two tenures have the same place in it, and sorted by it
        /// the registry's count of tenures rises as well. By this process's order: nobody began
        /// while another was inside, for the lock's delay is longer than giving up takes.
        var violations: [String] {
            var found: [String] = []
            var inside: FencingToken?
            var tokens: [FencingToken] = []
            for event in events {
                switch event {
                case .began(let token):
                    if let inside { found.append("\(token) began inside \(inside)") }
                    if let last = tokens.last, token <= last {
                        found.append("\(token) came after \(last)")
                    }
                    tokens.append(token)
                    inside = token
                case .ended(let token):
                    if inside == token { inside = nil }
                }
            }
            let sorted = tokens.sorted()
            for (left, right) in zip(sorted, sorted.dropFirst())
            where left.index == right.index || left.lockIndex >= right.lockIndex {
                found.append("\(left) and \(right) are one tenure")
            }
            return found
        }
    }

    @Test func theCheckerSeesOverlapsAndTokensThatDoNotRise() {
        func token(_ index: UInt64, _ lockIndex: UInt64) -> FencingToken {
            FencingToken(key: "k", session: "s\(index)", index: index, lockIndex: lockIndex)
        }
        let (one, two) = (token(5, 1), token(9, 2))
        let good = History(events: [.began(one), .ended(one), .began(two), .ended(two)])
        #expect(good.violations.isEmpty)
        let overlap = History(events: [.began(one), .began(two), .ended(one), .ended(two)])
        #expect(overlap.violations.count == 1)
        let fall = History(events: [.began(two), .ended(two), .began(one), .ended(one)])
        #expect(fall.violations.count == 1)
        let same = token(9, 1)
        let shared = History(events: [.began(one), .ended(one), .began(same), .ended(same)])
        #expect(shared.violations.count == 1)
    }

    @Test func aRegistryThatIsKilledAgainAndAgainNeverHasTwoHolders() async throws {
        try await LiveAgent.withAgent { agent, client in
            let history = Shared(History())
            let (tenures, began) = AsyncStream.makeStream(of: Void.self)
            var options = LockLiveTests.options("chaos")
            options.sessionTTL = .seconds(10)
            options.lockDelay = .seconds(1)
            options.delayRetry = .milliseconds(300)
            options.wait = .seconds(5)
            let shared = options
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask { await Self.contend(client, shared, history, began) }
                }
                var count = 0
                for await _ in tenures {
                    count += 1
                    if count == 60 { break }
                    // Killed while the lock changes hands again and again.
                    if count % 20 == 0 {
                        await agent.kill()
                        try await agent.start(client)
                    }
                }
                group.cancelAll()
                try await group.waitForAll()
            }
            let violations = history.value.violations
            #expect(violations.isEmpty, "\(violations)")
            #expect(history.value.tenures >= 60)
            // Nobody holds it at the end, by the registry's own word.
            #expect(try await client.lockHolder("chaos") == nil)
        }
    }

    /// Takes the lock again and again, and destroys its own session in every tenth tenure.
    private static func contend(
        _ client: MusterClient,
        _ options: LockOptions,
        _ history: Shared<History>,
        _ began: AsyncStream<Void>.Continuation
    ) async {
        while !Task.isCancelled {
            do {
                try await client.withLock("chaos", options: options) { token in
                    history.change { $0.events.append(.began(token)) }
                    defer { history.change { $0.events.append(.ended(token)) } }
                    began.yield()
                    if token.lockIndex % 10 == 0 {
                        try await client.session.destroy(token.session)
                        await LockLiveTests.forever()
                    }
                    _ = try await client.keyValue.get("up")
                }
            } catch {
                // Lost, or cut off by the registry's end: contends again.
            }
        }
    }
}
