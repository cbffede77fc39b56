/// Runs `operation` and cancels it when it takes longer than `limit`.
///
/// It returns when the operation has ended, which after cancellation is up to the operation.
///
/// - Parameters:
///   - limit: How long it may take.
///   - clock: What the time is taken from.
///   - operation: What is run, in a child task.
/// - Returns: What the operation returns.
/// - Throws: What the operation throws; ``MusterError`` with code `timeout` when it was too slow.
package func withTimeLimit<Value: Sendable>(
    _ limit: Duration,
    clock: TimeSource,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let deadline = clock.now() + limit
    return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            try await clock.sleep(deadline)
            return nil
        }
        defer { group.cancelAll() }
        if let value = try await group.next() ?? nil { return value }
        group.cancelAll()
        // What ends now may have succeeded at the last moment; then it did.
        do {
            if let value = try await group.next() ?? nil { return value }
        } catch {
            try Task.checkCancellation()
        }
        throw MusterError(code: .timeout, message: "no answer within \(limit)")
    }
}

/// Runs what must not be cut off halfway: the caller's cancellation reaches it only after `grace`.
///
/// - Parameters:
///   - grace: How long the operation may go on after the caller was cancelled.
///   - clock: What the time is taken from.
///   - operation: What is run, in a task of its own that is awaited here.
/// - Returns: What the operation returns, also when the caller was cancelled meanwhile.
/// - Throws: What the operation throws.
package func shielded<Value: Sendable>(
    grace: Duration,
    clock: TimeSource,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let cancelled = Doorbell()
    let work = Task {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await operation() }
            group.addTask {
                await cancelled.wait()
                try await clock.sleep(clock.now() + grace)
                return nil
            }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let outcome { return outcome }
                group.cancelAll()
            }
            throw CancellationError()
        }
    }
    return try await withTaskCancellationHandler {
        try await work.value
    } onCancel: {
        cancelled.ring()
    }
}
