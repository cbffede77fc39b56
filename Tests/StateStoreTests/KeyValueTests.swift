import Model
import Testing

@testable import StateStore

/// - Source: Consul: GET, PUT and DELETE /v1/kv, asked of Consul 1.8.7; docs/internals/sessions.
@Suite struct KeyValueTests {
    @Test func `writing the same value again changes nothing`() {
        var test = TestStore()
        test.put("a", "1", flags: 7)
        let first = test.entry("a")
        test.put("a", "1", flags: 7)
        #expect(test.entry("a") == first)
        #expect(test.changes.isEmpty)
        test.put("a", "1", flags: 8)
        #expect(test.entry("a")?.indexes.modify.rawValue == test.index)
        #expect(test.entry("a")?.indexes.create == first?.indexes.create)
    }

    @Test func `a conditional write needs the current index, and 0 that there is no key`() {
        var test = TestStore()
        #expect(test.put("a", "1", .cas, at: 5) == .condition(false))
        #expect(test.put("a", "1", .cas, at: 0) == .condition(true))
        #expect(test.put("a", "2", .cas, at: 0) == .condition(false))
        let index = test.entry("a")?.indexes.modify.rawValue ?? 0
        #expect(test.put("a", "2", .cas, at: index) == .condition(true))
        #expect(test.put("a", "", .deleteCAS, at: index) == .condition(false))
        #expect(test.put("a", "", .deleteCAS, at: index + 3) == .condition(false))
        #expect(test.put("none", "", .deleteCAS, at: 3) == .condition(true))
        #expect(test.entry("a")?.value == [UInt8(ascii: "2")])
    }

    @Test func `a deleted tree takes every key below the prefix and nothing else`() {
        var test = TestStore()
        for key in ["a", "a/1", "a/2", "ab", "b"] { test.put(key) }
        test.put("a/", "", .deleteTree)
        #expect(test.store.keys(prefix: "").value == ["a", "ab", "b"])
        test.put("", "", .deleteTree)
        #expect(test.store.keys(prefix: "").value.isEmpty)
        test.put("x", "", .deleteTree)
        #expect(test.changes.isEmpty)
    }

    @Test func `keys are listed up to the separator, each once`() {
        var test = TestStore()
        for key in ["web", "web/a", "web/b/c", "web/b/d", "web/sub/x", "z"] { test.put(key) }
        let keys = { (prefix: String, separator: String) in
            test.store.keys(prefix: prefix, separator: separator).value
        }
        #expect(keys("", "/") == ["web", "web/", "z"])
        #expect(keys("web/", "/") == ["web/a", "web/b/", "web/sub/"])
        #expect(keys("web/", "") == ["web/a", "web/b/c", "web/b/d", "web/sub/x"])
        #expect(keys("web/b", "/") == ["web/b/"])
        #expect(keys("none", "/").isEmpty)
    }

    @Test func `a lock belongs to one session, counts its acquisitions and survives plain writes`()
    {
        var test = TestStore()
        test.register(node: "n1")
        test.createSession("one")
        test.createSession("two")
        #expect(test.put("k", "1", .lock, session: "one") == .condition(true))
        #expect(test.entry("k")?.lockIndex == 1)
        let held = test.entry("k")
        #expect(test.put("k", "1", .lock, session: "one") == .condition(true))
        #expect(test.entry("k") == held)
        #expect(test.put("k", "2", .lock, session: "two") == .condition(false))
        // A plain write keeps the holder; as in Consul it forgets the count.
        test.put("k", "3")
        #expect(test.entry("k")?.session == "one")
        #expect(test.entry("k")?.lockIndex == 0)
        #expect(test.put("k", "4", .unlock, session: "two") == .condition(false))
        #expect(test.put("k", "4", .unlock, session: "one") == .condition(true))
        #expect(test.entry("k")?.session == "")
        #expect(test.put("k", "5", .lock, session: "two") == .condition(true))
        #expect(test.put("none", "", .unlock, session: "one") == .condition(false))
    }

    @Test func `locking needs a session that exists`() {
        var test = TestStore()
        let lock = { (session: String) in
            Command.keyValue(
                KeyValueCommand(operation: .lock, entry: keyEntry("k", session: session))
            )
        }
        #expect(test.refusal(of: lock("")) == "missing session")
        let unknown = "99999999-9999-9999-9999-999999999999"
        #expect(test.refusal(of: lock(unknown)) == "invalid session \"\(unknown)\"")
        let lookup = "failed session lookup: index error: UUID must be 36 characters"
        #expect(test.refusal(of: lock("nope")) == lookup)
        let unlock = KeyValueCommand(operation: .unlock, entry: keyEntry("k"))
        #expect(test.refusal(of: .keyValue(unlock)) == "missing session")
    }

    @Test func `verbs of transactions are refused outside of them`() {
        var test = TestStore()
        let get = KeyValueCommand(operation: .get, entry: keyEntry("k"))
        #expect(test.refusal(of: .keyValue(get)) == "Invalid KVS operation \"get\"")
    }
}

/// - Source: Consul: docs/internals/sessions; PUT /v1/session/create, asked of Consul 1.8.7.
@Suite struct SessionTests {
    @Test func `a session needs a node and checks that are not critical`() {
        var test = TestStore()
        #expect(test.createSession("s") == "Missing node registration")
        test.register(node: "n1", checks: [check("bad", .critical), check("good", .warning)])
        #expect(test.createSession("s", checks: ["none"]) == "Missing check 'none' registration")
        #expect(test.createSession("s", checks: ["bad"]) == "Check 'bad' is in critical state")
        #expect(test.createSession("s", node: "N1", checks: ["good"]) == "")
        #expect(test.createSession("") == "Missing session ID")
        #expect(test.store.sessions(node: "n1").value.map(\.session.id) == ["s"])
    }

    @Test(arguments: ["critical", "check removed", "service removed", "node removed", "destroyed"])
    func `a session ends with what it depends on and lets go of its keys`(cause: String) {
        var test = TestStore()
        test.register(node: "n1", service: "web", checks: [check("c", service: "web")])
        test.createSession("s", checks: ["c"])
        test.put("k", "1", .lock, session: "s")
        let watched = test.store.keyValue("k")
        switch cause {
        case "critical": test.register(node: "n1", checks: [check("c", .critical, service: "web")])
        case "check removed": test.deregister(node: "n1", check: "c")
        case "service removed": test.deregister(node: "n1", service: "web")
        case "node removed": test.deregister(node: "n1")
        default: test.destroySession("S")
        }
        #expect(test.store.session("s").value == nil)
        #expect(test.entry("k")?.session == "")
        #expect(test.entry("k")?.indexes.modify.rawValue == test.index)
        #expect(test.wakes(watched))
    }

    @Test func `a session that deletes takes its keys with it`() {
        var test = TestStore()
        test.register(node: "n1")
        test.createSession("s", behavior: .delete)
        test.put("k", "1", .lock, session: "s")
        test.put("other", "1")
        test.destroySession("s")
        #expect(test.store.keys(prefix: "").value == ["other"])
        #expect(test.changes.leftTombstones)
    }

    @Test func `a lock stays closed for the lock-delay, at most a minute, by the leader's stamps`()
    {
        var test = TestStore()
        test.register(node: "n1")
        for (delay, opensAfter) in [(Nanoseconds.seconds(5), UInt64(5)), (.seconds(600), 60)] {
            test.createSession("old", lockDelay: delay)
            test.createSession("new")
            test.put("k", "1", .lock, session: "old")
            test.destroySession("old")
            #expect(
                test.put("k", "2", .lock, session: "new", after: opensAfter - 1)
                    == .condition(false)
            )
            #expect(test.put("k", "2", .lock, session: "new") == .condition(true))
            test.destroySession("new")
        }
        #expect(test.store.keyTable.lockDelays.count <= 1)
    }

    @Test func `a session of release behaviour with no delay frees its keys at once`() {
        var test = TestStore()
        test.register(node: "n1")
        test.createSession("old")
        test.createSession("new")
        test.put("k", "1", .lock, session: "old")
        test.destroySession("old")
        #expect(test.put("k", "2", .lock, session: "new") == .condition(true))
        #expect(test.entry("k")?.lockIndex == 2)
    }
}
