import MusterAPI
import MusterTesting
import Testing

/// Cancelling a task ends its request at once, wherever the request is.
@Suite(.timeLimit(.minutes(3))) struct CancellationTests {
    private func expectCancelled<Value: Sendable>(_ task: Task<Value, any Error>) async {
        await #expect(throws: CancellationError.self) { _ = try await task.value }
    }

    @Test func beforeAnythingIsSentNothingIs() async throws {
        try await withRegistry { registry, client in
            let started = AsyncStream<Void>.makeStream()
            let task = Task {
                // Goes on only when the task has been cancelled.
                for await _ in started.stream {}
                return try await client.status.leader()
            }
            task.cancel()
            await expectCancelled(task)
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func whileTheAnswerIsOutstandingTheSocketCloses() async throws {
        try await withRegistry { registry, client in
            let task = Task { try await client.status.leader() }
            let request = await registry.next("/v1/status/leader")
            task.cancel()
            await expectCancelled(task)
            await request.closed()
        }
    }

    @Test func halfwayThroughTheAnswerTheSocketCloses() async throws {
        try await withPlainServer { server, client in
            let task = Task { try await client.status.leader() }
            let connection = await server.next()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n\"abc")
            task.cancel()
            await expectCancelled(task)
            await connection.closed()
        }
    }

    @Test func whileWaitingForAConnectionOfThePool() async throws {
        try await withRegistry({ $0.maximumCalls = 1 }) { registry, client in
            let first = Task { try await client.status.leader() }
            let request = await registry.next("/v1/status/leader")
            let second = Task { try await client.status.peers() }
            second.cancel()
            await expectCancelled(second)
            request.answer(200, #""a:1""#)
            let leader = try await first.value
            #expect(leader == "a:1")
            #expect(registry.unclaimed == 0)
        }
    }

    @Test func halfwayThroughADownloadTheSocketCloses() async throws {
        try await withPlainServer { server, client in
            let seen = AsyncStream<[UInt8]>.makeStream()
            let task = Task {
                try await client.snapshot.save { seen.continuation.yield($0) }
            }
            let connection = await server.next()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
            for await piece in seen.stream {
                #expect(piece == Array("abc".utf8))
                break
            }
            task.cancel()
            await #expect(throws: (any Error).self) { _ = try await task.value }
            await connection.closed()
        }
    }
}
