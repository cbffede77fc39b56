import MusterBalancing

/// What happens to whom, and when; the same seed gives the same plan.
struct Plan {
    enum Kind: String {
        /// An instance dies without a word, as in a crash.
        case kill
        /// An instance is asked to end: it deregisters and drains first.
        case end
        /// An instance is started again, on another port.
        case start
        /// The registry dies without a word.
        case registryKill
        /// The registry is started again with its data directory.
        case registryStart
    }

    struct Event {
        /// Seconds since the beginning.
        let time: Double
        let kind: Kind
        /// The number of the instance, 0 for the registry.
        let instance: Int
    }

    /// How many instances are away at most at the same time.
    static let largestAbsence = 4
    /// The calm at the beginning, in seconds.
    static let calm = 3.0

    /// The calm at the end, in seconds: whoever was started last has to be found by everyone.
    static func lastCalm(of seconds: Double) -> Double { min(10, seconds / 4) }

    let events: [Event]

    init(seconds: Double, instances: Int, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var events: [Event] = []
        let end = seconds - Self.lastCalm(of: seconds)
        // Until when each instance is away.
        var away: [Int: Double] = [:]
        var time = Self.calm
        while time < end - 3 {
            away = away.filter { $0.value > time }
            if away.count < min(Self.largestAbsence, instances - 1) {
                let present = (1...instances).filter { away[$0] == nil }
                let instance = present[Int(random.nextUnit() * Double(present.count))]
                let isCrash = random.nextUnit() < 0.75
                let back = min(end, time + 3 + 6 * random.nextUnit())
                events.append(Event(time: time, kind: isCrash ? .kill : .end, instance: instance))
                events.append(Event(time: back, kind: .start, instance: instance))
                // A little longer, so that it has really come back before it may die again.
                away[instance] = back + 2
            }
            time += 1 + 3 * random.nextUnit()
        }
        time = Self.calm + 2 + 3 * random.nextUnit()
        while time < end - 2 {
            let back = min(end, time + 1 + 5 * random.nextUnit())
            events.append(Event(time: time, kind: .registryKill, instance: 0))
            events.append(Event(time: back, kind: .registryStart, instance: 0))
            time = back + 8 + 14 * random.nextUnit()
        }
        self.events = events.sorted { $0.time < $1.time }
    }
}
