import Synchronization

/// Limits repeated calls to a share of the first ones, so that retries cannot make an overload
/// worse.
///
/// Each first call pays in a part of a retry and each retry takes out a whole one; payments are
/// forgotten after the window. A fixed number per second is free, so that rare callers can retry.
/// Safe to use from any thread; costs a short lock per call.
///
/// - Source: Finagle `RetryBudget.scala` (20 %, 10 per second, 10 seconds).
public final class RetryBudget: Sendable {
    private let state: Mutex<Core>

    /// Makes a budget.
    ///
    /// - Parameters:
    ///   - share: How many retries each call earns; clamped to 0…1,000.
    ///   - minimumPerSecond: How many retries are free; clamped to 0…1,000,000.
    ///   - window: How long a call's earnings last; clamped to one second…one hour.
    public init(
        share: Double = 0.2,
        minimumPerSecond: Double = 10,
        window: Duration = .seconds(10)
    ) {
        state = Mutex(
            Core(share: share, minimumPerSecond: minimumPerSecond, window: window)
        )
    }

    /// Notes a first call.
    ///
    /// - Parameter now: When it is made; a moment before the latest one counts as that.
    public func deposit(at now: ContinuousClock.Instant) {
        state.withLock { $0.deposit(at: Ticks.at(now)) }
    }

    /// Takes out one retry.
    ///
    /// - Parameter now: When it would be made.
    /// - Returns: Whether it may be made.
    public func withdraw(at now: ContinuousClock.Instant) -> Bool {
        state.withLock { $0.withdraw(at: Ticks.at(now)) }
    }

    /// How many retries could be made now.
    public func balance(at now: ContinuousClock.Instant) -> Int {
        state.withLock { $0.balance(at: Ticks.at(now)) / Core.unit }
    }

    /// How many retries were refused so far.
    public var refusals: UInt64 { state.withLock(\.refusals) }
}

extension RetryBudget {
    /// The arithmetic, in thousandths of a retry.
    struct Core {
        static let unit = 1000
        private static let slots = 10

        let earned: Int
        let reserve: Int
        let slot: Int64
        private(set) var refusals: UInt64 = 0

        /// What was paid in less what was taken out, in each tenth of the window.
        private var sums = [Int](repeating: 0, count: slots)
        /// The number of the current tenth.
        private var position: Int64?

        init(share: Double, minimumPerSecond: Double, window: Duration) {
            let window = min(max(window, .seconds(1)), .seconds(3600))
            let ticks = Ticks.of(window)
            let seconds = Double(ticks) / Double(Ticks.of(.seconds(1)))
            earned = Int(Self.clamped(share, 1000) * Double(Self.unit))
            reserve = Int(
                (Self.clamped(minimumPerSecond, 1e6) * seconds * Double(Self.unit)).rounded()
            )
            slot = max(1, ticks / Int64(Self.slots))
        }

        /// NaN counts as 0.
        private static func clamped(_ value: Double, _ most: Double) -> Double {
            value > 0 ? min(value, most) : 0
        }

        mutating func deposit(at now: Int64) {
            let index = advance(to: now)
            // Saturates: a window never holds more than this many retries.
            sums[index] = min(sums[index] + earned, Int.max / 64)
        }

        mutating func withdraw(at now: Int64) -> Bool {
            guard balance(at: now) >= Self.unit else {
                refusals += 1
                return false
            }
            sums[advance(to: now)] -= Self.unit
            return true
        }

        mutating func balance(at now: Int64) -> Int {
            _ = advance(to: now)
            return reserve + sums.reduce(0, +)
        }

        /// Forgets what is older than the window; the index of the current tenth.
        private mutating func advance(to now: Int64) -> Int {
            let target = now >= 0 ? now / slot : (now - slot + 1) / slot
            var reached = position ?? target
            if target - reached >= Int64(Self.slots) {
                for index in sums.indices { sums[index] = 0 }
                reached = target
            }
            while reached < target {
                reached += 1
                sums[Self.index(reached)] = 0
            }
            position = reached
            return Self.index(reached)
        }

        private static func index(_ position: Int64) -> Int {
            let rest = Int(position % Int64(slots))
            return rest < 0 ? rest + slots : rest
        }
    }
}
