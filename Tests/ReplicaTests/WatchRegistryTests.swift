import Model
import NIOCore
import NIOEmbedded
import StateStore
import Testing

@testable import Replica

@Suite struct WatchRegistryTests {
    /// Counts how often a watch fired.
    final class Counter {
        var count = 0
    }

    @Test func aWatchFiresOnceForItsTopicAndIsGone() {
        let world = World()
        let registry = world.replica.makeWatchRegistry(on: world.loop)
        let counter = Counter()
        _ = registry.park([.key("a")]) { counter.count += 1 }
        world.set("b")
        #expect(counter.count == 0)
        world.set("a")
        #expect(counter.count == 1)
        world.set("a", "again")
        #expect(counter.count == 1)
        #expect(registry.count == 0)
    }

    @Test(arguments: ["", "a", "a/", "a/b", "a/bc", "a/bcd"])
    func aPrefixWatchMeetsEveryKeyBelowIt(prefix: String) {
        let world = World()
        let registry = world.replica.makeWatchRegistry(on: world.loop)
        let counter = Counter()
        _ = registry.park([.keyPrefix(prefix)]) { counter.count += 1 }
        world.set("b/c")
        #expect(counter.count == (prefix.isEmpty ? 1 : 0))
        world.set("a/bcd")
        #expect(counter.count == 1)
    }

    @Test func aPrefixThatOnlyCutsACharacterIsNotMet() {
        let world = World()
        let registry = world.replica.makeWatchRegistry(on: world.loop)
        let counter = Counter()
        _ = registry.park([.keyPrefix("ä")]) { counter.count += 1 }
        world.set("ö")
        #expect(counter.count == 0)
        world.set("äö")
        #expect(counter.count == 1)
    }

    @Test func deletingATreeWakesWatchesAboveAndBelowIt() {
        let world = World()
        world.set("a/b/c")
        let registry = world.replica.makeWatchRegistry(on: world.loop)
        let woken = Counter()
        let untouched = Counter()
        _ = registry.park([.key("a/b/c")]) { woken.count += 1 }
        _ = registry.park([.keyPrefix("a/")]) { woken.count += 1 }
        _ = registry.park([.keyPrefix("a/b/c")]) { woken.count += 1 }
        _ = registry.park([.keyPrefix("z/")]) { untouched.count += 1 }
        var entry = KeyValueEntry()
        entry.key = "a/b"
        _ = world.propose(.keyValue(KeyValueCommand(operation: .deleteTree, entry: entry)))
        #expect(woken.count == 3)
        #expect(untouched.count == 0)
    }

    @Test func aCancelledWatchNeverFires() {
        let world = World()
        let registry = world.replica.makeWatchRegistry(on: world.loop)
        let counter = Counter()
        let watch = registry.park([.key("a")]) { counter.count += 1 }
        registry.cancel(watch)
        world.set("a")
        #expect(counter.count == 0)
        #expect(registry.count == 0)
    }

    @Test func aWatchMayParkAgainFromItsClosure() {
        let world = World()
        let registry = world.replica.makeWatchRegistry(on: world.loop)
        let counter = Counter()
        func parkAgain() {
            _ = registry.park([.key("a")]) {
                counter.count += 1
                parkAgain()
            }
        }
        parkAgain()
        for number in 1...3 {
            world.set("a", "\(number)")
            #expect(counter.count == number)
        }
    }

    @Test func aDeferredWatchWaitsUntilItIsAskedFor() {
        let world = World()
        let registry = world.replica.makeWatchRegistry(on: world.loop)
        let counter = Counter()
        _ = registry.park([.key("a")], urgency: .deferred) { counter.count += 1 }
        world.set("a")
        #expect(counter.count == 0)
        registry.synchronize()
        #expect(counter.count == 1)
    }

    @Test func lostNoticesWakeEveryWatch() {
        var limits = ReplicaLimits()
        limits.unreadChanges = 2
        let world = World(limits: limits)
        let registry = world.replica.makeWatchRegistry(on: world.loop)
        registry.synchronize()
        let counter = Counter()
        _ = registry.park([.key("never")], urgency: .deferred) { counter.count += 1 }
        for number in 0..<5 { world.set("k\(number)") }
        registry.synchronize()
        #expect(counter.count == 1)
    }

    @Test func aWatchSeesTheStateThatWokeIt() {
        let world = World()
        let registry = world.replica.makeWatchRegistry(on: world.loop)
        let replica = world.replica
        let counter = Counter()
        _ = registry.park([.key("a")]) {
            counter.count += replica.current.store.keyValue("a").value == nil ? 0 : 1
        }
        world.set("a")
        #expect(counter.count == 1)
    }
}
