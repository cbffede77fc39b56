import MusterAPI
import Testing

@testable import MusterCoordination

@Suite struct LockCoreTests {
    private let start = ContinuousClock.now
    private var random = SystemRandomNumberGenerator()

    private func core() -> LockCore {
        LockCore(
            key: "k",
            session: "mine",
            delayRetry: .seconds(5),
            settings: LockOptions().querySettings
        )
    }

    private func entry(
        _ session: String?,
        index: UInt64 = 10,
        flags: UInt64 = LockCore.flags
    ) -> KeyValuePair {
        KeyValuePair(
            key: "k",
            flags: flags,
            lockIndex: 3,
            session: session,
            modifyIndex: index
        )
    }

    private mutating func read(
        _ core: inout LockCore,
        _ entry: KeyValuePair?,
        index: UInt64 = 10
    ) throws -> Finding {
        try core.read(entry, index: index, now: start, using: &random)
    }

    private func wait(_ core: inout LockCore) -> LockCore.Step { core.next(now: start) }

    @Test func theStateNowIsReadFirst() {
        var core = core()
        #expect(wait(&core) == .read(index: nil, wait: .seconds(15)))
    }

    @Test(arguments: [nil, "", "other", "mine"] as [String?])
    mutating func whoHoldsTheKeyDecidesWhatIsDone(holder: String?) throws {
        var core = core()
        let finding = try read(&core, entry(holder))
        switch holder {
        case "mine":
            let token = FencingToken(key: "k", session: "mine", index: 10, lockIndex: 3)
            #expect(finding == .held(token))
        case "other":
            #expect(finding == .open)
            #expect(wait(&core) == .read(index: 10, wait: .seconds(15)))
        default:
            #expect(finding == .open)
            #expect(wait(&core) == .acquire)
        }
    }

    @Test mutating func aKeyThatDoesNotExistIsTakenAtOnce() throws {
        var core = core()
        _ = try read(&core, nil)
        #expect(wait(&core) == .acquire)
    }

    @Test mutating func aTakenLockIsConfirmedByReadingTheKey() throws {
        var core = core()
        _ = try read(&core, nil)
        core.answered(acquired: true)
        #expect(wait(&core) == .read(index: nil, wait: .seconds(15)))
        guard case .held = try read(&core, entry("mine", index: 11), index: 11) else {
            Issue.record("not held")
            return
        }
        #expect(wait(&core) == .read(index: 11, wait: .seconds(15)))
    }

    @Test mutating func aRefusalWhileNobodyHoldsTheLockIsATimedWaitAndNoPoll() throws {
        var core = core()
        _ = try read(&core, entry(nil))
        core.answered(acquired: false)
        #expect(wait(&core) == .read(index: nil, wait: .seconds(15)))
        _ = try read(&core, entry(nil))
        guard case .sleep(let end) = wait(&core) else {
            Issue.record("no wait during the lock's delay")
            return
        }
        let delay = start.duration(to: end)
        #expect(delay >= .milliseconds(4500) && delay <= .milliseconds(5500))
        #expect(core.next(now: end) == .read(index: nil, wait: .seconds(15)))
        _ = try core.read(entry(nil), index: 10, now: end, using: &random)
        #expect(core.next(now: end) == .acquire)
    }

    @Test mutating func aRefusalWhileTheLockWentThroughOtherHandsIsRepeatedAtOnce() throws {
        var core = core()
        _ = try read(&core, entry(nil, index: 10))
        core.answered(acquired: false)
        _ = wait(&core)
        _ = try read(&core, entry(nil, index: 12), index: 12)
        #expect(wait(&core) == .acquire)
    }

    @Test mutating func aRefusalBecauseAnotherWasFasterBlocksUntilTheKeyChanges() throws {
        var core = core()
        _ = try read(&core, nil)
        core.answered(acquired: false)
        _ = try read(&core, entry("other", index: 12), index: 12)
        #expect(wait(&core) == .read(index: 12, wait: .seconds(15)))
    }

    @Test(arguments: [nil, "", "other"] as [String?])
    mutating func aHolderThatIsNoLongerNamedHasLostTheLock(holder: String?) throws {
        var core = core()
        _ = try read(&core, entry("mine"))
        #expect(try read(&core, entry(holder, index: 12), index: 12) == .lost)
    }

    @Test mutating func aHolderWhoseKeyWasDeletedHasLostTheLock() throws {
        var core = core()
        _ = try read(&core, entry("mine"))
        #expect(try read(&core, nil, index: 12) == .lost)
    }

    @Test mutating func aWriteByOthersToAHeldKeyIsNoLoss() throws {
        var core = core()
        _ = try read(&core, entry("mine"))
        guard case .held = try read(&core, entry("mine", index: 12, flags: 0), index: 12) else {
            Issue.record("lost although the session holds the key")
            return
        }
    }

    @Test(arguments: [0, 42, SemaphoreCore.flags])
    mutating func aKeyWithOtherFlagsIsAConflict(flags: UInt64) {
        var core = core()
        let error = #expect(throws: CoordinationError.self) {
            try read(&core, entry(nil, flags: flags))
        }
        #expect(error?.code == .conflict)
    }

    @Test mutating func anIndexThatGoesBackIsForgotten() throws {
        var core = core()
        _ = try read(&core, entry("other"), index: 900)
        _ = wait(&core)
        _ = try read(&core, entry("other"), index: 12)
        #expect(wait(&core) == .read(index: nil, wait: .seconds(15)))
    }

    @Test mutating func afterAFailureTheKeyIsReadAnewAndAHeldLockStaysHeld() throws {
        var core = core()
        _ = try read(&core, entry("mine"))
        core.failed(now: start, using: &random)
        #expect(core.next(now: start + .seconds(1)) == .read(index: nil, wait: .seconds(15)))
        guard case .held = try read(&core, entry("mine")) else {
            Issue.record("a failure to read is no loss")
            return
        }
    }

    @Test mutating func anAttemptWhoseAnswerWasLostMayHaveSucceeded() throws {
        var core = core()
        _ = try read(&core, nil)
        core.failed(now: start, using: &random)
        #expect(core.next(now: start + .seconds(1)) == .read(index: nil, wait: .seconds(15)))
        guard case .held = try read(&core, entry("mine")) else {
            Issue.record("the lock is held")
            return
        }
    }
}
