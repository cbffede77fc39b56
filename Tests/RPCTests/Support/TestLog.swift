import Logging
import Synchronization

/// Keeps the lines of a log.
final class TestLog: Sendable {
    private struct Waiter {
        let isMet: @Sendable ([String]) -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var lines: [String] = []
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    var lines: [String] { state.withLock { $0.lines } }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(log: self) }
        logger.logLevel = .debug
        return logger
    }

    func add(_ line: String) {
        let met = state.withLock { state in
            state.lines.append(line)
            let met = state.waiters.filter { $0.isMet(state.lines) }
            state.waiters.removeAll { $0.isMet(state.lines) }
            return met
        }
        for waiter in met { waiter.continuation.resume() }
    }

    /// Waits until the lines are as they should be.
    func wait(until isMet: @escaping @Sendable ([String]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isMetNow = state.withLock { state in
                guard !isMet(state.lines) else { return true }
                state.waiters.append(Waiter(isMet: isMet, continuation: continuation))
                return false
            }
            if isMetNow { continuation.resume() }
        }
    }

    /// Waits for the first line that contains all the texts.
    @discardableResult
    func line(with texts: String...) async -> String {
        let isIt: @Sendable (String) -> Bool = { line in texts.allSatisfy(line.contains) }
        await wait { $0.contains(where: isIt) }
        return lines.first(where: isIt) ?? ""
    }

    private struct Handler: LogHandler {
        let log: TestLog
        var metadata = Logger.Metadata()
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.add("\(event.level): \(event.message)")
        }
    }
}
