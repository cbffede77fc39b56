import Model
import NIOCore
import NIOEmbedded
import StateStore
import Testing

@testable import Replica

/// A replica over an in-memory log, one loop for everything, time moved by hand.
struct World {
    let loop = EmbeddedEventLoop()
    let log: ControlledLog
    let replica: Replica

    init(limits: ReplicaLimits = ReplicaLimits()) {
        log = ControlledLog(loop: loop)
        replica = Replica(
            eventLoop: loop,
            log: log,
            limits: limits,
            wallClock: { Timestamp(nanosecondsSinceEpoch: 1_000_000_000) }
        )
        replica.start()
        loop.run()
    }

    /// Proposes and runs the loop until the answer is there.
    func propose(_ command: Command) -> ProposalOutcome? {
        let box = NIOLoopBoundBox<ProposalOutcome?>(nil, eventLoop: loop)
        replica.propose(command, on: loop) { box.value = $0 }
        loop.run()
        return box.value
    }

    func set(_ key: String, _ value: String = "v") {
        var entry = KeyValueEntry()
        entry.key = key
        entry.value = Array(value.utf8)
        let write = KeyValueCommand(operation: .set, entry: entry)
        #expect(propose(.keyValue(write)) == .success(.done))
    }

    /// Asks the leader to renew a session and runs the loop until it has answered.
    func renew(_ session: String) -> LeaderReply? {
        let box = NIOLoopBoundBox<LeaderReply?>(nil, eventLoop: loop)
        replica.ask(.renewSession(session), on: loop) { box.value = $0 }
        loop.run()
        return box.value
    }

    func registerNode(_ name: String) {
        var register = RegisterCommand()
        register.node.name = name
        register.node.address = "127.0.0.1"
        #expect(propose(.register(register)) == .success(.done))
    }

    func createSession(ttl: String) -> String {
        var session = Session()
        session.id = "6f1e0b1c-0000-4000-8000-000000000001"
        session.node = "n1"
        session.ttl = ttl
        #expect(propose(.session(.create(session))) == .success(.sessionID(session.id)))
        return session.id
    }
}

@Suite struct ProposalTests {
    @Test func anAnsweredWriteIsInTheCurrentState() {
        let world = World()
        world.set("a/b")
        let answer = world.replica.current.store.keyValue("a/b")
        #expect(answer.value != nil)
        #expect(world.replica.generation == world.replica.current.generation)
    }

    @Test func aPublishedStateNeverChanges() {
        let world = World()
        world.set("a")
        let before = world.replica.current
        world.set("b")
        #expect(before.store.keyValue("b").value == nil)
        #expect(world.replica.current.store.keyValue("b").value != nil)
        #expect(world.replica.current.generation == before.generation + 1)
    }

    @Test func proposalsOfOneTurnArePublishedTogetherAndAnsweredInOrder() {
        let world = World()
        let order = NIOLoopBoundBox<[Int]>([], eventLoop: world.loop)
        let before = world.replica.generation
        for number in 0..<5 {
            var entry = KeyValueEntry()
            entry.key = "k\(number)"
            let command = Command.keyValue(KeyValueCommand(operation: .set, entry: entry))
            world.replica.propose(command, on: world.loop) { _ in order.value.append(number) }
        }
        world.loop.run()
        #expect(order.value == [0, 1, 2, 3, 4])
        #expect(world.replica.generation == before + 1)
    }

    @Test func aFullQueueRefusesAndLosesNothing() {
        var limits = ReplicaLimits()
        limits.pendingProposals = 2
        let world = World(limits: limits)
        let outcomes = NIOLoopBoundBox<[ProposalOutcome]>([], eventLoop: world.loop)
        for number in 0..<3 {
            var entry = KeyValueEntry()
            entry.key = "k\(number)"
            let command = Command.keyValue(KeyValueCommand(operation: .set, entry: entry))
            world.replica.propose(command, on: world.loop) { outcomes.value.append($0) }
        }
        world.loop.run()
        let refusals = outcomes.value.filter {
            if case .failure(let error) = $0 { error.code == .overloaded } else { false }
        }
        #expect(refusals.count == 1)
        #expect(outcomes.value.filter { $0 == .success(.done) }.count == 2)
        #expect(world.replica.current.store.keyValue("k1").value != nil)
        #expect(world.replica.current.store.keyValue("k2").value == nil)
    }

    @Test func aCommandOverTheLimitIsRefused() {
        var limits = ReplicaLimits()
        limits.commandBytes = 100
        let world = World(limits: limits)
        var entry = KeyValueEntry()
        entry.key = "k"
        entry.value = Array(repeating: 1, count: 200)
        let outcome = world.propose(.keyValue(KeyValueCommand(operation: .set, entry: entry)))
        guard case .failure(let error) = outcome else {
            Issue.record("accepted: \(String(describing: outcome))")
            return
        }
        #expect(error.code == .tooLarge)
    }

    @Test func batchesAreBoundedAndTheRestFollows() {
        var limits = ReplicaLimits()
        limits.batchedProposals = 2
        let world = World(limits: limits)
        let before = world.replica.generation
        for number in 0..<5 {
            var entry = KeyValueEntry()
            entry.key = "k\(number)"
            let command = Command.keyValue(KeyValueCommand(operation: .set, entry: entry))
            world.replica.propose(command, on: world.loop) { _ in }
        }
        world.loop.run()
        #expect(world.replica.generation == before + 3)
        #expect(world.replica.current.store.keyValue("k4").value != nil)
    }
}

@Suite struct SessionExpiryTests {
    @Test func aSessionEndsAfterItsTimeToLive() {
        let world = World()
        world.registerNode("n1")
        let id = world.createSession(ttl: "10s")
        world.loop.advanceTime(by: .milliseconds(9_990))
        #expect(world.replica.current.store.session(id).value != nil)
        world.loop.advanceTime(by: .milliseconds(100))
        #expect(world.replica.current.store.session(id).value == nil)
    }

    @Test func aRenewalStartsTheTimeAnew() {
        let world = World()
        world.registerNode("n1")
        let id = world.createSession(ttl: "10s")
        world.loop.advanceTime(by: .seconds(8))
        #expect(world.renew(id) == .done)
        world.loop.advanceTime(by: .seconds(8))
        #expect(world.replica.current.store.session(id).value != nil)
        world.loop.advanceTime(by: .milliseconds(2_100))
        #expect(world.replica.current.store.session(id).value == nil)
    }

    @Test func aSessionWhoseEndWasRefusedEndsLater() {
        let world = World()
        world.registerNode("n1")
        let id = world.createSession(ttl: "10s")
        world.log.refuse(ProposalError(.overloaded, "too much is under way"))
        world.loop.advanceTime(by: .seconds(11))
        #expect(world.replica.current.store.session(id).value != nil)
        world.log.refuse(nil)
        world.loop.advanceTime(by: .seconds(3))
        #expect(world.replica.current.store.session(id).value == nil)
    }

    @Test func aLeaderThatCannotBeSureOfItsOfficeRenewsNothing() {
        let world = World()
        world.registerNode("n1")
        let id = world.createSession(ttl: "10s")
        world.loop.advanceTime(by: .seconds(8))
        world.log.setUnreadable(.noLeader)
        #expect(world.renew(id) == .noLeader)
        world.log.setUnreadable(nil)
        world.loop.advanceTime(by: .milliseconds(2_100))
        #expect(world.replica.current.store.session(id).value == nil)
    }

    @Test func anUnknownSessionIsNotRenewed() {
        #expect(World().renew("none") == .notFound)
    }

    @Test func aSessionWithoutTimeToLiveStays() {
        let world = World()
        world.registerNode("n1")
        let id = world.createSession(ttl: "")
        world.loop.advanceTime(by: .hours(48))
        #expect(world.replica.current.store.session(id).value != nil)
    }
}

@Suite struct TombstoneTests {
    @Test func aDeletedKeysIndexIsForgottenInTimeAndNotBefore() {
        let world = World()
        world.set("a/b")
        var entry = KeyValueEntry()
        entry.key = "a/b"
        _ = world.propose(.keyValue(KeyValueCommand(operation: .delete, entry: entry)))
        let written = world.replica.current.store.lastApplied
        world.loop.advanceTime(by: .minutes(14))
        #expect(world.replica.current.store.lastApplied == written)
        world.loop.advanceTime(by: .minutes(2))
        #expect(world.replica.current.store.lastApplied > written)
    }
}
