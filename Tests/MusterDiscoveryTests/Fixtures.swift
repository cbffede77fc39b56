import Foundation
import Logging
import Metrics
import MusterAPI
import MusterBalancing
import MusterDiscovery
import MusterTesting
import Synchronization

/// Health entries as the registry writes them, one per port.
func entries(_ ports: Int..., status: String = "passing", zone: String = "a") -> String {
    let list = ports.map { port in
        """
        {"Node":{"Node":"n1","Address":"10.0.0.1","Datacenter":"dc1"},
        "Service":{"ID":"web-\(port)","Service":"web","Address":"","Port":\(port),
        "Meta":{"zone":"\(zone)"},"Weights":{"Passing":4,"Warning":2}},
        "Checks":[{"CheckID":"c","Status":"\(status)"}]}
        """
    }
    return "[" + list.joined(separator: ",") + "]"
}

func ports(_ snapshot: ServiceSnapshot?) -> [UInt16]? {
    snapshot?.instances.map(\.endpoint.port)
}

/// The token that every client of these tests has.
let secretToken = "9f1c2f5e-secret"

/// A logger that says nothing.
let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Runs a discovery against a scripted registry, with time under the test's control.
func withDiscovery<Result: Sendable>(
    _ configure: (inout Discovery.Configuration) -> Void = { _ in },
    logger: Logger = silent,
    metrics: (any MetricsFactory)? = nil,
    client configureClient: (inout ClientConfiguration) -> Void = { _ in },
    _ body: (ScriptedRegistry, Discovery, ManualClock) async throws -> Result
) async throws -> Result {
    let registry = ScriptedRegistry()
    let port = try await registry.start()
    let time = ManualClock()
    let address = RegistryAddress.http(host: "127.0.0.1", port: port)
    var client = ClientConfiguration(address: address, token: secretToken)
    configureClient(&client)
    let result = try await MusterClient.withClient(client) { client in
        var configuration = Discovery.Configuration()
        configuration.clock = time.source
        configuration.seed = 1
        configure(&configuration)
        let discovery = Discovery(
            client: client,
            configuration: configuration,
            logger: logger,
            metrics: metrics
        )
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await discovery.run() }
            let result = try await body(registry, discovery, time)
            group.cancelAll()
            return result
        }
    }
    try await registry.stop()
    return result
}

/// The port of the instance a balancer picks, nil when it has none.
func port(_ balancer: Balancer) -> UInt16? {
    // Having none is one of the expected outcomes.
    guard let pick = try? balancer.pick() else { return nil }
    return pick.endpoint.port
}

/// What was logged, each line with its metadata.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    private struct Handler: LogHandler {
        let owner: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let text = "\(event.level): \(event.message) \(event.metadata ?? [:])"
            owner.lines.withLock { $0.append(text) }
        }
    }

    var logger: Logger { Logger(label: "test") { _ in Handler(owner: self) } }

    func contains(_ text: String) -> Bool { count(text) > 0 }

    /// How many lines contain the text.
    func count(_ text: String) -> Int { lines.withLock { $0.count { $0.contains(text) } } }
}

/// Runs `body` with a new directory, and removes it afterwards.
func withTemporaryDirectory(_ body: (String) async throws -> Void) async throws {
    let path = NSTemporaryDirectory() + "muster-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer {
        // What is left behind is in the system's own place for that.
        try? FileManager.default.removeItem(atPath: path)
    }
    try await body(path)
}

/// The names in a directory, sorted; none when there is no directory.
func files(in directory: String) -> [String] {
    // A directory that does not exist has no files.
    ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
}

/// The permission bits of a file.
func permissions(of path: String) -> Int? {
    // Without attributes there is nothing to compare: the test fails.
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.posixPermissions] as? NSNumber)?.intValue
}

/// The next health query, with time moved on for as long as the watch waits to send it.
func nextRequest(
    _ registry: ScriptedRegistry,
    _ time: ManualClock,
    _ path: String = "/v1/health/service/web"
) async -> ScriptedRequest {
    await withTaskGroup(of: ScriptedRequest?.self) { group in
        group.addTask { await registry.next(path) }
        group.addTask {
            while !Task.isCancelled {
                time.advanceToSleeper(within: .seconds(12))
                await Task.yield()
            }
            return nil
        }
        let request = await group.next() ?? nil
        group.cancelAll()
        guard let request else { return await registry.next(path) }
        return request
    }
}
