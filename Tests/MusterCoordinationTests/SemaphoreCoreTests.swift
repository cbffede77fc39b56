import MusterAPI
import Testing

@testable import MusterCoordination

@Suite struct SemaphoreCoreTests {
    private let start = ContinuousClock.now
    private var random = SystemRandomNumberGenerator()

    private func core(limit: Int = 2) -> SemaphoreCore {
        SemaphoreCore(
            prefix: "s",
            session: "mine",
            limit: limit,
            settings: LockOptions().querySettings
        )
    }

    private func contender(_ session: String, holder: String? = nil) -> KeyValuePair {
        KeyValuePair(
            key: "s/\(session)",
            flags: SemaphoreCore.flags,
            session: holder ?? session,
            modifyIndex: 5
        )
    }

    private func record(_ text: String, flags: UInt64 = SemaphoreCore.flags) -> KeyValuePair {
        KeyValuePair(key: "s/.lock", value: Array(text.utf8), flags: flags, modifyIndex: 7)
    }

    private mutating func read(
        _ core: inout SemaphoreCore,
        _ entries: [KeyValuePair],
        index: UInt64 = 10
    ) throws -> Finding {
        try core.read(entries, index: index, now: start, using: &random)
    }

    @Test func theRecordReadsAndWritesAsTheGoClientDoes() throws {
        let text = #"{"Limit":2,"Holders":{"a":true,"b":true}}"#
        let record = try SemaphoreRecord(bytes: Array(text.utf8))
        #expect(record == SemaphoreRecord(limit: 2, holders: ["a", "b"]))
        let written = String(decoding: try record.bytes, as: UTF8.self)
        #expect(written == #"{"Holders":{"a":true,"b":true},"Limit":2}"#)
        let empty = try SemaphoreRecord(bytes: Array(#"{"Limit":3,"Holders":null}"#.utf8))
        #expect(empty == SemaphoreRecord(limit: 3))
    }

    @Test func theContendersOwnKeyIsMadeFirstAndThenThePrefixIsRead() {
        var core = core()
        #expect(core.next(now: start) == .enter)
        #expect(core.contenderKey == "s/mine")
        core.entered()
        #expect(core.next(now: start) == .read(index: nil, wait: .seconds(15)))
    }

    @Test mutating func aPlaceIsClaimedByWritingTheRecordThatWasRead() throws {
        var core = core()
        core.entered()
        _ = try read(
            &core,
            [
                record(#"{"Limit":2,"Holders":{"other":true}}"#), contender("mine"),
                contender("other"),
            ]
        )
        let wanted = SemaphoreRecord(limit: 2, holders: ["mine", "other"])
        #expect(core.next(now: start) == .claim(wanted, unchangedSince: 7))
    }

    @Test mutating func withoutARecordOneIsMadeOnlyIfThereIsStillNone() throws {
        var core = core()
        core.entered()
        _ = try read(&core, [contender("mine")])
        let wanted = SemaphoreRecord(limit: 2, holders: ["mine"])
        #expect(core.next(now: start) == .claim(wanted, unchangedSince: 0))
    }

    @Test mutating func aFullSemaphoreIsWaitedFor() throws {
        var core = core(limit: 1)
        core.entered()
        let full = [
            record(#"{"Limit":1,"Holders":{"other":true}}"#), contender("mine"),
            contender("other"),
        ]
        #expect(try read(&core, full) == .open)
        #expect(core.next(now: start) == .read(index: 10, wait: .seconds(15)))
    }

    @Test mutating func aHolderWithoutALockedKeyOfItsOwnIsDeadAndLeftOut() throws {
        var core = core(limit: 1)
        core.entered()
        _ = try read(
            &core,
            [record(#"{"Limit":1,"Holders":{"dead":true}}"#), contender("mine")]
        )
        let wanted = SemaphoreRecord(limit: 1, holders: ["mine"])
        #expect(core.next(now: start) == .claim(wanted, unchangedSince: 7))
    }

    @Test mutating func aClaimIsConfirmedByReadingAndThenWatched() throws {
        var core = core()
        core.entered()
        core.claimed()
        #expect(core.next(now: start) == .read(index: nil, wait: .seconds(15)))
        let mine = record(#"{"Limit":2,"Holders":{"mine":true}}"#)
        let finding = try read(&core, [mine, contender("mine")])
        #expect(finding == .held(FencingToken(key: "s", session: "mine", index: 7)))
        #expect(core.next(now: start) == .read(index: 10, wait: .seconds(15)))
        #expect(try read(&core, [record(#"{"Limit":2,"Holders":{}}"#)], index: 11) == .lost)
    }

    @Test mutating func aHolderWhoseOwnKeyIsGoneHasLostItsPlace() throws {
        var core = core()
        core.entered()
        let mine = record(#"{"Limit":2,"Holders":{"mine":true}}"#)
        _ = try read(&core, [mine, contender("mine")])
        #expect(try read(&core, [mine], index: 11) == .lost)
    }

    @Test mutating func aContenderWhoseOwnKeyWasDeletedMakesItAgain() throws {
        var core = core()
        core.entered()
        _ = try read(&core, [])
        #expect(core.next(now: start) == .enter)
    }

    @Test mutating func anotherLimitIsAConflict() {
        var core = core(limit: 3)
        core.entered()
        let error = #expect(throws: CoordinationError.self) {
            try read(&core, [record(#"{"Limit":2,"Holders":{}}"#), contender("mine")])
        }
        #expect(error?.code == .limitConflict)
        #expect(error?.message == "the semaphore has room for 2, not for 3")
    }

    @Test mutating func aRecordWithOtherFlagsIsAConflict() {
        var core = core()
        core.entered()
        let error = #expect(throws: CoordinationError.self) {
            try read(&core, [record("{}", flags: LockCore.flags), contender("mine")])
        }
        #expect(error?.code == .conflict)
    }

    @Test(arguments: ["{", "[]", "{}", #"{"Limit":"2"}"#, "\u{0}"])
    mutating func aRecordThatCannotBeReadIsAnErrorThatShowsIt(text: String) {
        var core = core()
        core.entered()
        let error = #expect(throws: CoordinationError.self) {
            try read(&core, [record(text), contender("mine")])
        }
        #expect(error?.code == .damaged)
        #expect(error?.message.hasSuffix(text) == true)
    }

    @Test func aFailureToEnterIsRepeatedAfterAWait() {
        var core = core()
        var random = SystemRandomNumberGenerator()
        core.failed(now: start, using: &random)
        guard case .sleep = core.next(now: start) else {
            Issue.record("no wait after a failure")
            return
        }
        #expect(core.next(now: start + .seconds(1)) == .enter)
    }
}
