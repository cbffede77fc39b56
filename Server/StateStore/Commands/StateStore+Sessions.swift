import Model

extension StateStore {
    /// - Source: Consul: PUT /v1/session/create, PUT /v1/session/destroy/:uuid
    mutating func applySession(
        _ command: SessionCommand,
        _ context: inout WriteContext
    ) -> CommandResult {
        switch command {
        case .create(let session):
            do throws(StoreError) {
                try createSession(session, &context)
                return .sessionID(session.id)
            } catch {
                return .refused(.invalid(error.message))
            }
        case .destroy(let id):
            destroySession(id.folded, &context)
            return .done
        }
    }

    private mutating func createSession(
        _ session: Session,
        _ context: inout WriteContext
    ) throws(StoreError) {
        guard !session.id.isEmpty else { throw StoreError("Missing session ID") }
        guard let name = nodeTable.name(session.node.folded) else { throw .missingNode }
        for id in session.checkIDs {
            guard let check = nodeTable.check(name, id.folded) else {
                throw StoreError("Missing check '\(id)' registration")
            }
            guard check.status != .critical else {
                throw StoreError("Check '\(id)' is in critical state")
            }
        }
        var session = session
        session.indexes = RecordIndexes(create: context.index, modify: context.index)
        sessionTable.insert(SessionRecord(session))
        noteSessionChange(session, &context)
    }

    /// Ends a session: its keys are released or deleted, and stay closed for the lock-delay.
    ///
    /// - Source: Consul: docs/internals/sessions
    mutating func destroySession(_ foldedID: String, _ context: inout WriteContext) {
        guard let record = sessionTable.remove(foldedID) else { return }
        noteSessionChange(record.session, &context)
        let delay = min(record.session.lockDelay, limits.lockDelay)
        for key in heldKeys(of: foldedID) {
            switch record.session.behavior {
            case .release:
                guard var entry = keyTable.find(key)?.entry else { continue }
                entry.session = ""
                setKey(entry, keepingSession: false, &context)
            case .delete:
                deleteKey(key, &context)
            }
            if delay > .zero {
                let expiry = context.now.advanced(by: delay)
                keyTable.delayLock(of: key, until: expiry, now: context.now)
            }
        }
    }

    private func heldKeys(of session: String) -> [String] {
        var keys: [String] = []
        let start = HeldKey(session: session, key: "")
        for held in keyTable.heldKeys.elements(notBefore: start) {
            guard Bytes.equal(held.session, session) else { break }
            keys.append(held.key)
        }
        return keys
    }

    private mutating func noteSessionChange(_ session: Session, _ context: inout WriteContext) {
        let node = session.node.folded
        indexes.sessions = context.index
        if let name = nodeTable.name(node) {
            nodeTable.update(name) { $0.sessionsIndex = context.index }
        }
        context.changes.touch(Topic.Kind.session)
        context.changes.touch(.session(session.id.folded))
        context.changes.touch(.nodeSessions(node))
    }
}

extension Session {
    /// Every check the session depends on, whatever field names it.
    var checkIDs: [String] {
        (checks ?? []) + (nodeChecks ?? []) + (serviceChecks ?? []).map(\.id)
    }
}
