import CAllocations
import MusterBalancing
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Measures what a pick and its completion cost, alone and with four threads at once.
///
/// One line per policy, size and number of threads: processor time per pick, the best of five runs,
/// because other programs can only make it slower; memory allocations per pick over all runs; and
/// the goal. Build with `-c release`. An argument names the only policy to measure.
@main
struct PickBenchmark {
    static func main() {
        let wanted = CommandLine.arguments.dropFirst().first
        for row in Row.all where wanted == nil || row.name == wanted {
            for instances in [3, 100, 1000] {
                for threads in [1, 4] { report(row, instances: instances, threads: threads) }
            }
            reportUpdate(row)
        }
    }

    /// What it costs to take a snapshot of a thousand instances: the best of twenty times.
    private static func reportUpdate(_ row: Row) {
        let balancer = row.balancer(instances: 1000)
        guard let snapshot = balancer.snapshot else { return }
        var best = Int.max
        for _ in 0..<20 {
            let started = Work.processorTime()
            balancer.update(snapshot)
            best = min(best, Work.processorTime() - started)
        }
        let isMaglev = row.name.hasPrefix("maglev")
        print(
            "update \(row.name) instances=1000 \(best / 1000) us "
                + "goal=\(isMaglev ? "3000" : "200") us"
        )
    }

    private static func report(_ row: Row, instances: Int, threads: Int) {
        var best = Double.infinity
        var allocations = 0
        for _ in 0..<5 {
            let work = Work(row: row, balancer: row.balancer(instances: instances))
            let handles = (0..<threads).map { _ in work.start() }
            for handle in handles { pthread_join(handle, nil) }
            precondition(work.completed == threads * work.picks, "\(work.completed) picks")
            best = min(best, Double(work.nanoseconds) / Double(work.completed))
            allocations += work.allocations
        }
        let goal = threads == 1 ? row.goal : row.goalOfFour
        print(
            "pick \(row.name) instances=\(instances) threads=\(threads) \(tenths(best)) ns "
                + "allocations=\(allocations) goal=\(goal.map { "\($0) ns" } ?? "none")"
        )
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// What is measured in one row.
struct Row: Sendable {
    let name: String
    let policy: BalancingPolicy
    /// The goals for one and four threads in nanoseconds: DESIGN §5, client-sdks §D3.
    let goal: Int?
    let goalOfFour: Int?
    var picks = 1_000_000
    var usesKeys = false
    var usesTime = false
    var options = Balancer.Options()

    init(_ policy: BalancingPolicy, _ goal: Int?, _ goalOfFour: Int?, name: String? = nil) {
        self.policy = policy
        self.goal = goal
        self.goalOfFour = goalOfFour
        self.name = name ?? "\(policy)"
    }

    static var all: [Row] {
        var rows = [
            Row(.roundRobin, 10, 10), Row(.weightedRoundRobin, 15, 15),
            Row(.smoothWeightedRoundRobin, 15, 15), Row(.random, 10, 10),
            Row(.weightedRandom, 20, 20), Row(.leastRequest(), 60, 250),
        ]
        var peakEWMA = Row(.peakEWMA(), 90, 250)
        peakEWMA.usesTime = true
        rows.append(peakEWMA)
        for (policy, goal, name) in [
            (BalancingPolicy.consistentHash(.maglev()), 15, nil),
            (.consistentHash(.ring()), 40, nil), (.sticky, nil, nil),
            (.consistentHash(.maglev(), boundedLoad: 1.25), nil, "maglev_bounded"),
        ] as [(BalancingPolicy, Int?, String?)] {
            var row = Row(policy, goal, goal, name: name)
            row.usesKeys = true
            // Its cost grows with the number of instances.
            if policy == .sticky { row.picks = 20_000 }
            rows.append(row)
        }
        var outliers = Row(.roundRobin, nil, nil, name: "round_robin_with_outlier_detection")
        outliers.options.outliers = OutlierDetection()
        rows.append(outliers)
        rows.append(
            Row(.custom("custom") { First(count: $0.instances.count) }, nil, nil)
        )
        return rows
    }

    /// A balancer over instances of weights 1 to 10.
    func balancer(instances: Int) -> Balancer {
        let balancer = Balancer(policy: policy, options: options)
        let list = (0..<instances).compactMap { number in
            ServiceEndpoint(host: "10.0.\(number / 250).\(number % 250)", port: 80).map {
                Instance(
                    id: InstanceID(node: "n\(number)", serviceID: "s"),
                    endpoint: $0,
                    weight: UInt32(number % 10 + 1)
                )
            }
        }
        balancer.update(ServiceSnapshot(instances: list, confirmed: .now))
        return balancer
    }
}

/// The least a picker of one's own can do.
struct First: InstancePicker {
    let count: Int

    func pick(_ request: PickRequest) -> Int? { 0 }
}

/// What each thread does.
final class Work: Sendable {
    /// How many picks each thread makes.
    let picks: Int

    private let row: Row
    private let balancer: Balancer
    private let origin = ContinuousClock.now
    private let sum = Atomic(0)
    private let time = Atomic(0)
    private let memory = Atomic(0)
    private let count = Atomic(0)

    /// The processor time all threads took together.
    var nanoseconds: Int { time.load(ordering: .relaxed) }
    /// How often they asked for memory.
    var allocations: Int { memory.load(ordering: .relaxed) }
    /// How many picks they made.
    var completed: Int { count.load(ordering: .relaxed) }

    init(row: Row, balancer: Balancer) {
        self.row = row
        self.balancer = balancer
        picks = row.picks
    }

    /// Starts a thread that makes its picks and ends.
    func start() -> pthread_t {
        var handle = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &handle,
            nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            context
        )
        return handle
    }

    private func run() {
        let moments = (0..<1024).map { origin + .microseconds($0 * 100) }
        var ports = 0
        let memory = allocations_of_this_thread()
        let started = Self.processorTime()
        if row.usesTime {
            ports = timed(moments)
        } else if row.usesKeys {
            ports = keyed()
        } else {
            ports = plain()
        }
        time.add(Self.processorTime() - started, ordering: .relaxed)
        self.memory.add(allocations_of_this_thread() - memory, ordering: .relaxed)
        sum.add(ports, ordering: .relaxed)
        // Every endpoint has port 80: a pick that failed would be missing here.
        count.add(ports / 80, ordering: .relaxed)
    }

    private func plain() -> Int {
        var ports = 0
        for _ in 0..<picks {
            // There always is an instance; an error would show as a sum that is too small.
            guard let pick = try? balancer.pick() else { continue }
            ports &+= Int(pick.endpoint.port)
            pick.complete(.success)
        }
        return ports
    }

    private func keyed() -> Int {
        var ports = 0
        var random = SeededRandom(seed: 1)
        for _ in 0..<picks {
            // As above.
            guard let pick = try? balancer.pick(hash: random.next()) else { continue }
            ports &+= Int(pick.endpoint.port)
            pick.complete(.success)
        }
        return ports
    }

    private func timed(_ moments: [ContinuousClock.Instant]) -> Int {
        var ports = 0
        for number in 0..<picks {
            let now = moments[number & 1023]
            // As above.
            guard let pick = try? balancer.pick(.any, at: now) else { continue }
            ports &+= Int(pick.endpoint.port)
            pick.complete(.success, latency: .microseconds(500 + (number & 127)), at: now)
        }
        return ports
    }

    /// What the calling thread has used so far.
    static func processorTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
    }
}
