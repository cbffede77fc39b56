import MusterBalancing
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Measures what a pick costs, alone and with four threads at once.
///
/// One line per policy, size and number of threads: processor time per pick, the best of five runs,
/// because other programs can only make it slower. Build with `-c release`.
@main
struct PickBenchmark {
    static func main() {
        let policies: [BalancingPolicy] = [
            .roundRobin, .weightedRoundRobin, .smoothWeightedRoundRobin, .random, .weightedRandom,
        ]
        for policy in policies {
            for instances in [3, 100, 1000] {
                for threads in [1, 4] {
                    let cost =
                        (0..<5).map { _ in
                            measure(policy, instances: instances, threads: threads)
                        }.min() ?? 0
                    let tenths = Int((cost * 10).rounded())
                    print(
                        "pick \(policy) instances=\(instances) threads=\(threads) "
                            + "\(tenths / 10).\(tenths % 10) ns"
                    )
                }
            }
        }
    }

    /// Nanoseconds of processor time per pick.
    static func measure(_ policy: BalancingPolicy, instances: Int, threads: Int) -> Double {
        let balancer = Balancer(policy: policy)
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
        let picks = 2_000_000
        let work = Work(balancer: balancer, picks: picks)
        let handles = (0..<threads).map { _ in work.start() }
        for handle in handles { pthread_join(handle, nil) }
        return Double(work.nanoseconds) / Double(picks * threads)
    }
}

/// What each thread does.
final class Work: Sendable {
    private let balancer: Balancer
    private let picks: Int
    private let sum = Atomic(0)
    private let time = Atomic(0)

    /// The processor time all threads took together.
    var nanoseconds: Int { time.load(ordering: .relaxed) }

    init(balancer: Balancer, picks: Int) {
        self.balancer = balancer
        self.picks = picks
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
        var ports = 0
        let started = Self.processorTime()
        for _ in 0..<picks {
            // There always is an instance; an error would show as a sum that is too small.
            guard let pick = try? balancer.pick() else { continue }
            ports &+= Int(pick.endpoint.port)
            pick.complete(.success)
        }
        time.add(Self.processorTime() - started, ordering: .relaxed)
        sum.add(ports, ordering: .relaxed)
    }

    /// What the calling thread has used so far.
    private static func processorTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
    }
}
