import LocalState
import Model

/// An agent's state with a clock that only the test moves.
struct Fixture {
    var state: LocalState
    var now = Instant(nanoseconds: 1_000_000_000)
    var effects = LocalEffects()

    init(_ adjust: (inout LocalConfiguration) -> Void = { _ in }) {
        var configuration = LocalConfiguration()
        configuration.node.name = "here"
        configuration.node.datacenter = "dc1"
        adjust(&configuration)
        state = LocalState(configuration: configuration, seed: 7)
    }

    mutating func pass(seconds: Int64) {
        now = now.advanced(by: .seconds(seconds))
        effects = LocalEffects()
        state.advance(to: now, into: &effects)
    }

    mutating func register(
        _ registration: ServiceRegistration,
        source: RegistrationSource = .remote,
        replacesChecks: Bool = false
    ) throws(RegistrationError) {
        effects = LocalEffects()
        let options = RegistrationOptions(source: source, replacesChecks: replacesChecks)
        try state.register(registration, options: options, now: now, into: &effects)
    }

    mutating func register(check: CheckRegistration) throws(RegistrationError) {
        effects = LocalEffects()
        let options = RegistrationOptions(source: .remote)
        try state.register(check: check, options: options, now: now, into: &effects)
    }

    mutating func setTTL(
        _ id: String,
        _ status: CheckStatus,
        _ output: String = ""
    ) throws(RegistrationError) {
        effects = LocalEffects()
        try state.setTTL(check: id, status: status, output: output, now: now, into: &effects)
    }

    mutating func report(_ id: String, _ status: CheckStatus, _ output: String = "") {
        effects = LocalEffects()
        state.report(check: id, status: status, output: output, now: now, into: &effects)
    }

    /// Proposes everything and lets it succeed.
    @discardableResult
    mutating func sync() -> [SyncStep] {
        var all: [SyncStep] = []
        while true {
            let steps = state.nextSync()
            guard !steps.isEmpty else { return all }
            for step in steps { state.completed(step, succeeded: true) }
            all += steps
        }
    }

    func status(_ id: String) -> CheckStatus? {
        state.check(id)?.check.status
    }

    func output(_ id: String) -> String? {
        state.check(id)?.check.output
    }
}

/// A service with an optional TTL check.
func service(_ name: String, port: Int = 80, ttl: Int64? = nil) -> ServiceRegistration {
    var registration = ServiceRegistration()
    registration.name = name
    registration.port = port
    if let ttl { registration.checks = [ttlCheck(seconds: ttl)] }
    return registration
}

func ttlCheck(_ name: String = "", seconds: Int64) -> CheckRegistration {
    var check = CheckRegistration()
    check.name = name
    check.ttl = .seconds(seconds)
    return check
}

func httpCheck(_ name: String = "") -> CheckRegistration {
    var check = CheckRegistration()
    check.name = name
    check.http = "http://127.0.0.1:8080/health"
    check.interval = .seconds(10)
    return check
}

/// What a call was refused with, or nil.
func refusal(_ body: () throws(RegistrationError) -> Void) -> RegistrationError? {
    do throws(RegistrationError) {
        try body()
        return nil
    } catch {
        return error
    }
}
