import MusterAPI

extension InMemoryState {
    func readKeys(_ request: InMemoryRequest) throws -> ScriptedReply? {
        guard let key = request.rest(after: "kv/") else { return nil }
        if request.has("keys") {
            let names = names(under: key, separator: request["separator"] ?? "")
            return reply(names, names.isEmpty, index: lastChange(ofKeysUnder: key))
        }
        if request.has("recurse") {
            let pairs = keys.values.filter { $0.key.hasPrefix(key) }.sorted { $0.key < $1.key }
            return reply(pairs, pairs.isEmpty, index: lastChange(ofKeysUnder: key))
        }
        guard !key.isEmpty else { throw InMemoryRefusal(400, "Missing key name") }
        let index = lastChange(.key(key))
        guard let pair = keys[key] else { return ScriptedReply(404, index: index) }
        if request.has("raw") { return ScriptedReply(index: index, bytes: pair.value) }
        return reply([pair], false, index: index)
    }

    /// What is not there is 404, with the index to wait at.
    private func reply(_ list: some Encodable, _ isEmpty: Bool, index: UInt64) -> ScriptedReply {
        isEmpty
            ? ScriptedReply(404, index: index)
            : ScriptedReply(index: index, bytes: JSONText.encode(list))
    }

    /// The keys below a prefix, cut after the first separator that follows it.
    private func names(under prefix: String, separator: String) -> [String] {
        let all = keys.keys.filter { $0.hasPrefix(prefix) }.map { key in
            let rest = key.dropFirst(prefix.count)
            guard let mark = separator.first, let end = rest.firstIndex(of: mark) else {
                return key
            }
            return String(key[...end])
        }
        return Set(all).sorted()
    }

    mutating func put(
        _ key: String,
        _ request: InMemoryRequest,
        now: ContinuousClock.Instant
    ) throws -> ScriptedReply {
        guard !key.isEmpty else { throw InMemoryRefusal(400, "Missing key name") }
        var pair = keys[key] ?? KeyValuePair(key: key)
        if let expected = try request.number("cas"), expected != pair.modifyIndex {
            return ScriptedReply(200, "false")
        }
        if let session = request["acquire"] {
            guard sessions[session] != nil else {
                throw InMemoryRefusal(500, "invalid session \"\(session)\"")
            }
            guard pair.session == nil || pair.session == session,
                lockDelays[key].map({ $0 <= now }) ?? true
            else { return ScriptedReply(200, "false") }
            if pair.session == nil { pair.lockIndex += 1 }
            pair.session = session
        }
        if let session = request["release"] {
            guard pair.session == session else { return ScriptedReply(200, "false") }
            pair.session = nil
        }
        pair.value = request.body
        pair.flags = try request.number("flags") ?? 0
        store(pair)
        return ScriptedReply(200, "true")
    }

    /// Writes a pair and counts the change.
    mutating func store(_ pair: KeyValuePair) {
        var pair = pair
        pair.modifyIndex = change(.key(pair.key))
        if pair.createIndex == 0 { pair.createIndex = pair.modifyIndex }
        keys[pair.key] = pair
    }

    mutating func delete(_ key: String, _ request: InMemoryRequest) throws -> ScriptedReply {
        if request.has("recurse") {
            for name in keys.keys.filter({ $0.hasPrefix(key) }).sorted() { remove(name) }
            return ScriptedReply(200, "true")
        }
        if let expected = try request.number("cas") {
            guard expected == keys[key]?.modifyIndex else { return ScriptedReply(200, "false") }
        }
        remove(key)
        return ScriptedReply(200, "true")
    }

    mutating func remove(_ key: String) {
        if keys.removeValue(forKey: key) != nil { change(.key(key)) }
    }
}
