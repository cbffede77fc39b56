public import Configuration
public import Logging
public import Metrics
public import MusterAPI
public import ServiceLifecycle
import Synchronization

/// The registry's keys below a prefix as live configuration.
///
/// The key `http.timeout` is read from `prefix/http/timeout`. All values come from one answer of
/// the registry, so that they belong together; ``run()`` follows the changes, and a key that is
/// deleted is a change too. While the registry does not answer, the last values stay.
///
/// Texts and bytes are a key's bytes as they are; numbers and truth values (`true`, `yes`, `1`, …)
/// are read from text; lists are separated by a comma. A value that cannot be read as what is asked
/// for is an error that names the key.
public final class KeyValueProvider: ConfigProvider, Service {
    /// How a provider behaves.
    public struct Settings: Sendable {
        /// What happens at the start when the registry does not answer in time.
        public enum Absence: Hashable, Sendable {
            /// The start fails.
            case fails
            /// It goes on without values: other providers' and the code's defaults hold until the
            /// registry answers.
            case startsEmpty
        }

        /// How long the start waits for the first answer.
        ///
        /// Default 10 seconds.
        public var startTimeout = Limits.startTimeout

        /// What happens when none comes.
        ///
        /// Default: the start fails.
        public var absence = Absence.fails

        /// Which values are secrets, by the key below the prefix (`http/token`) and its bytes;
        /// default none.
        public var secrets = SecretsSpecifier<String, [UInt8]>.none

        /// What separates the elements of a list.
        public var listSeparator: Character = ","

        /// How the registry is asked.
        public var options = QueryOptions()

        /// What the time is taken from.
        public var clock = TimeSource.system

        /// Makes the default settings.
        public init() {}
    }

    private struct Watcher: Sendable {
        /// nil watches the whole tree.
        let path: String?
        let yield: @Sendable (KeyValueTree) -> Void
    }

    private struct State {
        var tree: KeyValueTree
        var nextWatcher: UInt64 = 0
        var watchers: [UInt64: Watcher] = [:]
    }

    /// The prefix, empty or ending in a slash.
    public var prefix: String { rules.prefix }

    /// Names the provider in logs: its prefix included.
    public var providerName: String { rules.providerName }

    private let client: MusterClient
    private let settings: Settings
    private let rules: KeyValueTree.Rules
    private let logger: Logger
    private let updates: Counter
    private let failures: Counter
    private let keys: Gauge
    private let state: Mutex<State>

    /// Makes a provider and waits for the registry's first answer.
    ///
    /// - Parameters:
    ///   - client: The client of the registry.
    ///   - prefix: What the keys are below, with or without a slash at its end; empty for all.
    ///   - settings: How it behaves.
    ///   - logger: Told of changes and failures, without values.
    ///   - metrics: What makes the counters; nil takes that of the process.
    /// - Throws: ``KeyValueConfigError`` when there is no answer in time and the settings say that
    ///   the start fails; `CancellationError`.
    public init(
        client: MusterClient,
        prefix: String,
        settings: Settings = Settings(),
        logger: Logger = Logger(label: "muster.configuration"),
        metrics: (any MetricsFactory)? = nil
    ) async throws {
        var prefix = prefix[...]
        while prefix.first == "/" { prefix = prefix.dropFirst() }
        while prefix.last == "/" { prefix = prefix.dropLast() }
        let factory = metrics ?? MetricsSystem.factory
        let dimensions = [("prefix", String(prefix))]
        self.client = client
        self.settings = settings
        self.logger = logger
        rules = KeyValueTree.Rules(
            providerName: "KeyValueProvider[\(prefix)]",
            prefix: prefix.isEmpty ? "" : prefix + "/",
            decoding: ValueDecoding(separator: settings.listSeparator),
            secrets: settings.secrets
        )
        let counter = { (name: String) in
            Counter(
                label: "muster_configuration_\(name)",
                dimensions: dimensions,
                factory: factory
            )
        }
        updates = counter("updates")
        failures = counter("failures")
        keys = Gauge(
            label: "muster_configuration_keys",
            dimensions: dimensions,
            factory: factory
        )
        state = Mutex(State(tree: KeyValueTree(rules: rules)))
        try await waitForFirstAnswer()
    }

    // MARK: Following the registry

    private var watch: RegistryWatch<[KeyValuePair]> {
        client.keyValue.watch(
            prefix: rules.prefix,
            options: settings.options,
            clock: settings.clock
        )
    }

    /// How the wait for the first answer ended.
    private enum Start {
        case answered
        /// With the registry's last error, when there was one.
        case unanswered((any Error)?)
        case timeOver
    }

    /// Asks until there is an answer or the task is cancelled.
    private func firstAnswer() async -> Start {
        var lastError: (any Error)?
        for await event in watch.events {
            switch event {
            case .changed(let response):
                publish(response)
                return .answered
            case .unchanged:
                break
            case .failed(let error):
                note(error, isFirst: lastError == nil)
                lastError = error
            }
        }
        return .unanswered(lastError)
    }

    /// Waits until there is a first answer, or the settings' time is over.
    private func waitForFirstAnswer() async throws {
        let end = settings.clock.now() + settings.startTimeout
        let start = await withTaskGroup(of: Start.self) { group in
            group.addTask { await self.firstAnswer() }
            group.addTask { [clock = settings.clock] in
                // The sleep only throws when cancelled: the wait is over then, too.
                try? await clock.sleep(end)
                return .timeOver
            }
            let first = await group.next() ?? .timeOver
            group.cancelAll()
            guard case .timeOver = first else { return first }
            return await group.next() ?? .timeOver
        }
        try Task.checkCancellation()
        if case .answered = start { return }
        var cause: (any Error)?
        if case .unanswered(let error) = start { cause = error }
        guard settings.absence == .startsEmpty else {
            throw KeyValueConfigError(
                code: .noAnswer,
                key: rules.prefix,
                message: "the keys below \"\(rules.prefix)\" are not known after "
                    + "\(settings.startTimeout)",
                cause: cause
            )
        }
        logger.warning(
            "Starting without the registry's configuration",
            metadata: ["prefix": "\(rules.prefix)", "error": "\(cause.map { "\($0)" } ?? "")"]
        )
    }

    /// Follows the changes until the task is cancelled or the service group shuts down.
    ///
    /// Without it the values stay as they were at the start. The values stay afterwards, too.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var isFailing = false
            for await event in self.watch.events {
                switch event {
                case .changed(let response):
                    self.publish(response)
                    isFailing = false
                case .unchanged:
                    isFailing = false
                case .failed(let error):
                    self.note(error, isFirst: !isFailing)
                    isFailing = true
                }
            }
        }
    }

    private func note(_ error: any Error, isFirst: Bool) {
        failures.increment()
        logger.log(
            level: isFirst ? .warning : .debug,
            "The registry does not answer; the last configuration stays in use",
            metadata: ["prefix": "\(rules.prefix)", "error": "\(error)"]
        )
    }

    /// Takes a new tree and tells those who watch what changed.
    private func publish(_ response: Response<[KeyValuePair]>) {
        let tree = KeyValueTree(rules: rules, index: response.index, pairs: response.value)
        let (changed, isFirst) = state.withLock { state in
            let old = state.tree
            state.tree = tree
            let paths = Set(old.values.keys).union(tree.values.keys)
                .filter { old.values[$0] != tree.values[$0] }
            guard !paths.isEmpty else { return (0, old.index == 0) }
            // Under the lock, so that a watcher that begins meanwhile sees nothing older later.
            for watcher in state.watchers.values {
                if let path = watcher.path, !paths.contains(path) { continue }
                watcher.yield(tree)
            }
            return (paths.count, old.index == 0)
        }
        keys.record(tree.values.count)
        guard changed > 0 || isFirst else { return }
        updates.increment()
        logger.debug(
            "Configuration changed",
            metadata: [
                "prefix": "\(rules.prefix)", "keys": "\(tree.values.count)",
                "changed": "\(changed)", "index": "\(tree.index)",
            ]
        )
    }

    // MARK: Reading

    private var tree: KeyValueTree { state.withLock(\.tree) }

    /// The value as the last answer of the registry had it.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - type: What it is read as.
    /// - Returns: The whole key in the registry and the value, nil when there is none.
    /// - Throws: ``KeyValueConfigError`` when the value is something else.
    public func value(forKey key: AbsoluteConfigKey, type: ConfigType) throws -> LookupResult {
        try tree.value(forKey: key, type: type)
    }

    /// The value as the registry has it now.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - type: What it is read as.
    /// - Returns: The whole key in the registry and the value, nil when there is none.
    /// - Throws: ``KeyValueConfigError`` when the value is something else, `MusterError` when the
    ///   registry does not answer.
    public func fetchValue(
        forKey key: AbsoluteConfigKey,
        type: ConfigType
    ) async throws -> LookupResult {
        let path = rules.path(key)
        let answer = try await client.keyValue.get(path, options: settings.options)
        return try rules.result(answer.value?.value, path, type)
    }

    /// All values of the last answer, which belong together.
    public func snapshot() -> any ConfigSnapshot { tree }

    /// Follows a value: first as it is, then each change; a slow reader sees the newest.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - type: What it is read as; a value that is something else is a failure in the sequence,
    ///     which goes on.
    ///   - updatesHandler: Reads the sequence.
    /// - Returns: What `updatesHandler` returned.
    /// - Throws: What `updatesHandler` threw.
    nonisolated(nonsending) public func watchValue<Return: ~Copyable>(
        forKey key: AbsoluteConfigKey,
        type: ConfigType,
        updatesHandler:
            nonisolated(nonsending) (
                _ updates: ConfigUpdatesAsyncSequence<Result<LookupResult, any Error>, Never>
            ) async throws -> Return
    ) async throws -> Return {
        let (stream, continuation) = AsyncStream<Result<LookupResult, any Error>>
            .makeStream(bufferingPolicy: .bufferingNewest(1))
        let number = add(path: rules.path(key)) { tree in
            continuation.yield(Result { try tree.value(forKey: key, type: type) })
        }
        defer { remove(number) }
        return try await updatesHandler(ConfigUpdatesAsyncSequence(stream))
    }

    /// Follows all values: first as they are, then each change; a slow reader sees the newest.
    ///
    /// - Parameter updatesHandler: Reads the sequence.
    /// - Returns: What `updatesHandler` returned.
    /// - Throws: What `updatesHandler` threw.
    nonisolated(nonsending) public func watchSnapshot<Return: ~Copyable>(
        updatesHandler:
            nonisolated(nonsending) (
                _ updates: ConfigUpdatesAsyncSequence<any ConfigSnapshot, Never>
            ) async throws -> Return
    ) async throws -> Return {
        let (stream, continuation) = AsyncStream<any ConfigSnapshot>
            .makeStream(bufferingPolicy: .bufferingNewest(1))
        let number = add(path: nil) { tree in continuation.yield(tree) }
        defer { remove(number) }
        return try await updatesHandler(ConfigUpdatesAsyncSequence(stream))
    }

    private func add(
        path: String?,
        _ yield: @escaping @Sendable (KeyValueTree) -> Void
    ) -> UInt64 {
        state.withLock { state in
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = Watcher(path: path, yield: yield)
            yield(state.tree)
            return state.nextWatcher
        }
    }

    private func remove(_ number: UInt64) {
        state.withLock { _ = $0.watchers.removeValue(forKey: number) }
    }
}
