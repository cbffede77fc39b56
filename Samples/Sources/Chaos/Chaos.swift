import ArgumentParser
import Foundation
import MusterAPI
import UnixSignals

/// Kills instances and restarts the registry while consumers call: nobody may notice.
///
/// `Samples/chaos.sh` builds what it needs and runs it.
@main
struct Chaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Kills instances and restarts the registry under load, and draws what happened."
    )

    @Option(help: "The registry's program: muster, or consul.")
    var registry: String

    @Option(help: "The directory of the programs Greeter and Traffic.")
    var programs: String

    @Option(help: "How long it lasts, in seconds, at least 15.")
    var seconds = 120.0

    @Option(help: "How many instances there are, at least 6.")
    var instances = 20

    @Option(help: "How many consumers call them.")
    var consumers = 4

    @Option(help: "How many calls per second each consumer makes.")
    var rate = 100

    @Option(help: "What decides who dies when; the same seed, the same plan.")
    var seed: UInt64 = 1

    @Option(help: "Where the picture goes.")
    var picture = FileManager.default.temporaryDirectory
        .appendingPathComponent("muster-chaos.svg").path

    func validate() throws {
        guard seconds >= 15 else { throw ValidationError("--seconds must be at least 15.") }
        guard instances >= 6 else { throw ValidationError("--instances must be at least 6.") }
        guard consumers >= 1 else { throw ValidationError("--consumers must be at least 1.") }
    }

    func run() async throws {
        let verdict = try await withThrowingTaskGroup(of: Verdict?.self) { group in
            group.addTask { try await Stage(self).play() }
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) { break }
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            // When a signal came first, the stage still has to end its processes.
            while let other = try? await group.next() { _ = other }
            return first
        }
        guard let verdict else { throw ExitCode(130) }
        say(verdict.text)
        if !verdict.isGood { throw ExitCode.failure }
    }
}

/// Prints a line at once, also into a pipe.
func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

/// What came of it.
struct Verdict: Sendable {
    var isGood: Bool
    var text: String
}

/// The processes and what is done to them.
struct Stage {
    private let options: Chaos
    private let directory: String
    private let processes: Processes
    private let port: Int
    private let started = ContinuousClock.now

    init(_ options: Chaos) throws {
        self.options = options
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("muster-chaos-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        directory = folder.path
        // Below the range from which outgoing connections take theirs.
        port = 20_000 + Int.random(in: 0..<2_000) * 5
        var environment = ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("CONSUL_") }
        environment["CONSUL_HTTP_ADDR"] = "127.0.0.1:\(port)"
        processes = Processes(directory: directory, environment: environment)
    }

    /// Plays the whole demonstration and ends every process, whatever happens.
    func play() async throws -> Verdict {
        do {
            let verdict = try await perform()
            await tearDown()
            return verdict
        } catch {
            await tearDown()
            throw error
        }
    }

    private func tearDown() async {
        await processes.endAll("traffic")
        await processes.endAll("greeter")
        await processes.endAll()
        // A directory for temporary files that stays behind does no harm.
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func perform() async throws -> Verdict {
        try startRegistry()
        try await waitForLeader()
        for number in 1...options.instances { try startInstance(number) }
        try await waitForInstances()
        var readers: [CountsReader] = []
        for number in 1...options.consumers {
            readers.append(CountsReader(path: "\(directory)/counts-\(number)"))
            try startConsumer(number)
        }
        print(
            "\(options.instances) instances, \(options.consumers) consumers, seed \(options.seed)"
        )
        let plan = Plan(
            seconds: options.seconds,
            instances: options.instances,
            seed: options.seed
        )
        var record = Record(
            instances: options.instances,
            seconds: options.seconds + Self.patience
        )
        let end = try await carryOut(plan, &record, &readers)
        let alive = (1...options.consumers).filter { processes.isRunning("traffic-\($0)") }
        await processes.endAll("traffic")
        for index in readers.indices { try readers[index].read(into: &record, at: end) }
        let idle = record.idle(at: end)
        record.end(at: end)
        return try judge(record, readers, idle: idle, consumersAlive: alive.count)
    }

    /// How many seconds longer than planned it lasts until every instance gets calls again.
    private static let patience = 20.0

    /// Does what the plan says, and reads the counts four times a second; returns when it ended.
    private func carryOut(
        _ plan: Plan,
        _ record: inout Record,
        _ readers: inout [CountsReader]
    ) async throws -> Double {
        let start = ContinuousClock.now
        let now = { start.duration(to: .now) / .seconds(1) }
        var events = plan.events[...]
        var nextReading = 0.25
        let latest = options.seconds + Self.patience
        while now() < options.seconds || (!record.idle(at: now()).isEmpty && now() < latest) {
            let next = min(events.first?.time ?? .infinity, nextReading)
            try await Task.sleep(until: start + .seconds(next))
            while let event = events.first, event.time <= now() {
                events.removeFirst()
                try carryOut(event)
                // When it really happened: a busy machine may be late.
                record.events.append(
                    Plan.Event(time: now(), kind: event.kind, instance: event.instance)
                )
            }
            if now() >= nextReading {
                nextReading = now() + 0.25
                for index in readers.indices { try readers[index].read(into: &record, at: now()) }
            }
        }
        return now()
    }

    private func carryOut(_ event: Plan.Event) throws {
        let name = "greeter-\(event.instance)"
        switch event.kind {
        case .kill: processes.kill(name)
        case .end: processes.end(name)
        case .start:
            // One that was asked to end may still be at it; its successor has its own port.
            processes.kill(name)
            try startInstance(event.instance)
        case .registryKill: processes.kill("registry")
        case .registryStart: try startRegistry()
        }
        say("\(Int((started.duration(to: .now)) / .seconds(1))) s  \(event.kind) \(name)")
    }

    // MARK: Processes

    private func startRegistry() throws {
        let settings = """
            {"performance": {"raft_multiplier": 1}, "limits": {"http_max_conns_per_client": 1000}}
            """
        let file = "\(directory)/registry.json"
        try settings.write(toFile: file, atomically: true, encoding: .utf8)
        try processes.start(
            "registry",
            options.registry,
            [
                "agent", "-server", "-bootstrap", "-node", "chaos", "-bind", "127.0.0.1",
                "-data-dir", "\(directory)/data", "-config-file", file,
                "-http-port", "\(port)", "-dns-port", "-1", "-grpc-port", "-1",
                "-serf-lan-port", "\(port + 1)", "-serf-wan-port", "\(port + 2)",
                "-server-port", "\(port + 3)",
            ]
        )
    }

    private func startInstance(_ number: Int) throws {
        try processes.start(
            "greeter-\(number)",
            "\(options.programs)/Greeter",
            ["--name", "greeter-\(number)", "--ttl", "3"]
        )
    }

    private func startConsumer(_ number: Int) throws {
        try processes.start(
            "traffic-\(number)",
            "\(options.programs)/Traffic",
            [
                "--plain", "--rate", "\(options.rate)", "--policy", "leastRequest",
                "--counts", "\(directory)/counts-\(number)",
            ]
        )
    }

    private func waitForLeader() async throws {
        try await eventually("a registry with a leader", "registry") { client in
            try await !client.status.leader().isEmpty
        }
    }

    private func waitForInstances() async throws {
        try await eventually("\(options.instances) passing instances", "greeter-1") { client in
            let found = try await client.health.service("greeter", passing: true)
            return found.value.count == options.instances
        }
    }

    /// Asks until the answer is yes, for half a minute.
    private func eventually(
        _ what: String,
        _ process: String,
        _ question: (MusterClient) async throws -> Bool
    ) async throws {
        let address = RegistryAddress.http(host: "127.0.0.1", port: port)
        try await MusterClient.withClient(ClientConfiguration(address: address)) { client in
            for _ in 0..<300 {
                // Until it listens, the question fails: that is a no.
                if (try? await question(client)) == true { return }
                try await Task.sleep(for: .milliseconds(100))
            }
            throw Missing(what: what, log: processes.log(of: process))
        }
    }

    private static func times(_ count: Int) -> String { count == 1 ? "once" : "\(count) times" }

    struct Missing: Error, CustomStringConvertible {
        let what: String
        let log: String
        var description: String { "there never was \(what)\n\(log)" }
    }

    // MARK: The end

    private func judge(
        _ record: Record,
        _ readers: [CountsReader],
        idle: [Int],
        consumersAlive: Int
    ) throws -> Verdict {
        let total = readers.reduce(0) { $0 + $1.total.answered }
        let lost = readers.reduce(0) { $0 + $1.total.lost }
        let summary =
            "\(total) calls, \(lost) lost, \(record.totalFailed) sent again elsewhere; "
            + "\(record.count(.kill)) instances killed, \(record.count(.end)) asked to end, "
            + "registry killed \(Self.times(record.count(.registryKill)))"
        var picture = Picture(
            record,
            title: "\(options.consumers) consumers call \(options.instances) instances "
                + "while everything dies now and then",
            subtitle: summary + " (seed \(options.seed))"
        )
        try picture.draw().write(toFile: options.picture, atomically: true, encoding: .utf8)

        var faults: [String] = []
        if lost > 0 { faults.append("\(lost) calls were lost") }
        if consumersAlive < options.consumers { faults.append("a consumer ended by itself") }
        // Half of what was asked for: a busy machine is slow, not wrong.
        let expected = Int(Double(options.rate * options.consumers) * options.seconds / 2)
        if total < expected { faults.append("only \(total) of \(expected * 2) calls were made") }
        if !idle.isEmpty {
            faults.append("in the end no calls for instances \(idle.map { $0 + 1 })")
        }
        if record.count(.registryKill) == 0 { faults.append("the registry was never killed") }
        if record.count(.kill) == 0 { faults.append("no instance was killed") }
        return Verdict(
            isGood: faults.isEmpty,
            text: "\(faults.isEmpty ? "PASSED" : "FAILED"): \(summary)\n"
                + faults.map { "  \($0)\n" }.joined() + "picture: \(options.picture)"
        )
    }
}
