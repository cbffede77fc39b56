import MusterAPI

extension InMemoryState {
    func readSessions(_ request: InMemoryRequest) throws -> ScriptedReply? {
        let list: [SessionEntry]
        if request.path == "session/list" {
            list = sessions.values.map(\.value).sorted { $0.createIndex < $1.createIndex }
        } else if let id = request.rest(after: "session/info/") {
            list = sessions[id].map { [$0.value] } ?? []
        } else if let node = request.rest(after: "session/node/") {
            list = sessions.values.map(\.value).filter { $0.node == node }
                .sorted { $0.createIndex < $1.createIndex }
        } else {
            return nil
        }
        return ScriptedReply(index: lastChange(.sessions), bytes: JSONText.encode(list))
    }

    mutating func writeSession(
        _ request: InMemoryRequest,
        now: ContinuousClock.Instant
    ) throws -> ScriptedReply? {
        if request.path == "session/create" { return try createSession(request, now: now) }
        if let id = request.rest(after: "session/destroy/") {
            invalidate(sessionID: id, now: now)
            return ScriptedReply(200, "true")
        }
        if let id = request.rest(after: "session/renew/") {
            guard let session = sessions[id] else {
                throw InMemoryRefusal(404, "Session id '\(id)' not found")
            }
            let end = end(of: session.value, now: now)
            sessions[id]?.expires = end
            return ScriptedReply(bytes: JSONText.encode([session.value]))
        }
        return nil
    }

    private mutating func createSession(
        _ request: InMemoryRequest,
        now: ContinuousClock.Instant
    ) throws -> ScriptedReply {
        let wanted =
            request.body.isEmpty ? SessionRequest() : try request.decoded(SessionRequest.self)
        if let ttl = wanted.ttl, ttl < .seconds(10) || ttl > .seconds(86_400) {
            throw InMemoryRefusal(
                500,
                "Invalid Session TTL '\(ttl)', must be between [10s=24h0m0s]"
            )
        }
        guard ["", "release", "delete"].contains(wanted.behavior) else {
            throw InMemoryRefusal(500, "Invalid Behavior setting '\(wanted.behavior)'")
        }
        guard wanted.node.isEmpty || wanted.node == Self.node else {
            throw InMemoryRefusal(500, "Missing node registration")
        }
        sessionCount += 1
        let index = change(.sessions)
        let session = SessionEntry(
            id: Self.identifier(sessionCount),
            name: wanted.name,
            node: Self.node,
            lockDelay: wanted.lockDelay ?? .seconds(15),
            behavior: wanted.behavior.isEmpty ? "release" : wanted.behavior,
            ttl: wanted.ttl ?? .zero,
            nodeChecks: ["serfHealth"],
            createIndex: index,
            modifyIndex: index
        )
        sessions[session.id] = Session(value: session, expires: end(of: session, now: now))
        return ScriptedReply(200, #"{"ID":"\#(session.id)"}"#)
    }

    /// When a session ends unless renewed: a registry waits twice the time before it acts.
    ///
    /// - Source: Consul: Sessions, "the TTL is a lower bound"; the server doubles it.
    private func end(
        of session: SessionEntry,
        now: ContinuousClock.Instant
    ) -> ContinuousClock.Instant? {
        session.ttl > .zero ? now + session.ttl * 2 : nil
    }

    /// Ends a session; its locks are released, or their keys deleted, and stay barred for a while.
    mutating func invalidate(sessionID: String, now: ContinuousClock.Instant) {
        guard let session = sessions.removeValue(forKey: sessionID)?.value else { return }
        change(.sessions)
        for pair in keys.values.filter({ $0.session == sessionID }).sorted(by: { $0.key < $1.key })
        {
            if session.lockDelay > .zero { lockDelays[pair.key] = now + session.lockDelay }
            if session.behavior == "delete" {
                remove(pair.key)
            } else {
                var released = pair
                released.session = nil
                store(released)
            }
        }
    }

    /// An identifier in the form of a UUID, the same for the same number.
    private static func identifier(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count)
            + digits
    }
}
