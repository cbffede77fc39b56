import MusterAPI
import MusterBalancing

/// Decides what keeps a registration alive next; does no I/O.
struct RegistrarCore {
    /// What the registrar does next.
    enum Step: Equatable {
        /// Nothing before the moment, unless something is changed.
        case wait(until: ContinuousClock.Instant)
        /// Register, or register again.
        case register
        /// Bring the maintenance mode into line.
        case maintain
        /// Report that the instance lives, or ask whether the agent still knows it.
        case beat
    }

    /// How long one beat is good for.
    private let period: Duration
    private var random: SeededRandom
    private var backoff: Backoff

    private(set) var isRegistered = false
    private var maintenanceDiffers = false
    private var lastSuccess: ContinuousClock.Instant?
    private var nextBeat: ContinuousClock.Instant?
    private var notBefore: ContinuousClock.Instant?
    /// How often in a row the agent forgot what it had just been told.
    private var forgotten = 0

    /// Makes a core.
    ///
    /// - Parameters:
    ///   - period: The TTL, or how often the agent is asked when there is none.
    ///   - seed: Where random waits start.
    init(period: Duration, seed: UInt64) {
        self.period = period
        random = SeededRandom(seed: seed)
        backoff = Backoff(base: .milliseconds(500), cap: Limits.longestBackoff)
    }

    /// How long one beat may be under way: a connection that hangs leaves time for two more.
    var beatLimit: Duration { min(period / 6, Limits.longestBeat) }

    /// What to do now.
    func next(now: ContinuousClock.Instant) -> Step {
        if let notBefore, now < notBefore { return .wait(until: notBefore) }
        if !isRegistered { return .register }
        if maintenanceDiffers { return .maintain }
        if let nextBeat, now < nextBeat { return .wait(until: nextBeat) }
        return .beat
    }

    /// The registration was changed: it has to be sent again.
    mutating func changed() {
        isRegistered = false
        notBefore = nil
    }

    /// The maintenance mode was changed.
    mutating func maintenanceChanged() {
        maintenanceDiffers = true
        notBefore = nil
    }

    /// The agent took the registration; the first beat is due at once.
    ///
    /// - Parameters:
    ///   - now: The present moment.
    ///   - maintenance: Whether the instance is to be out of service, which the agent may have
    ///     forgotten.
    mutating func registered(now: ContinuousClock.Instant, maintenance: Bool) {
        isRegistered = true
        if maintenance { maintenanceDiffers = true }
        nextBeat = now
        notBefore = nil
        lastSuccess = now
        backoff.succeed()
    }

    /// The agent refused a change: what it took before still stands, and the beats go on.
    mutating func changeRefused() {
        isRegistered = true
        notBefore = nil
    }

    /// The instance has been taken out.
    mutating func left() { isRegistered = false }

    /// The agent took the maintenance mode.
    mutating func maintained() {
        maintenanceDiffers = false
        backoff.succeed()
    }

    /// The agent took a beat.
    ///
    /// The next comes after a third of the period, give or take a tenth: two may be lost before
    /// the check turns critical, and many instances do not beat in step.
    ///
    /// - Parameter sent: When it was sent: the agent cannot have taken it earlier, so its TTL
    ///   runs at least from then.
    mutating func beaten(sent: ContinuousClock.Instant) {
        lastSuccess = sent
        nextBeat = sent + period / 3 * (0.9 + 0.2 * random.nextUnit())
        notBefore = nil
        forgotten = 0
        backoff.succeed()
    }

    /// The agent does not know the instance: it was restarted, or someone removed it.
    mutating func unknown(now: ContinuousClock.Instant) {
        isRegistered = false
        forgotten += 1
        // At once; but an agent that forgets again and again is not flooded.
        notBefore = forgotten > 1 ? now + backoff.fail(using: &random) : nil
    }

    /// A beat failed for another reason: again after a second until the period is over.
    mutating func beatFailed(now: ContinuousClock.Instant) {
        let deadline = lastSuccess.map { $0 + period } ?? now
        if now < deadline {
            notBefore = now + min(.seconds(1), period / 6)
        } else {
            notBefore = now + backoff.fail(using: &random)
        }
        nextBeat = notBefore
    }

    /// Registering, or the maintenance mode, failed.
    mutating func failed(now: ContinuousClock.Instant) {
        notBefore = now + backoff.fail(using: &random)
    }
}
