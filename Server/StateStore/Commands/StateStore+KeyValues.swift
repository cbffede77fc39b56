import Model
import Wire

extension StateStore {
    /// - Source: Consul: PUT and DELETE /v1/kv/:key
    mutating func applyKeyValue(
        _ command: KeyValueCommand,
        _ context: inout WriteContext
    ) -> CommandResult {
        let operation = command.operation
        let entry = command.entry
        do throws(StoreError) {
            switch operation {
            case .set:
                _ = setKey(entry, keepingSession: true, &context)
                return .done
            case .delete:
                deleteKey(entry.key, &context)
                return .done
            case .deleteTree:
                deleteTree(entry.key, &context)
                return .done
            case .deleteCAS:
                return .condition(deleteKey(entry.key, ifAt: entry.indexes.modify, &context))
            case .cas:
                return .condition(setKeyIfUnchanged(entry, &context) != nil)
            case .lock:
                guard !keyTable.isDelayed(entry.key, now: context.now) else {
                    return .condition(false)
                }
                return .condition(try lockKey(entry, &context) != nil)
            case .unlock:
                return .condition(try unlockKey(entry, &context) != nil)
            case .get, .getTree, .checkSession, .checkIndex, .checkNotExists:
                let verb = GoQuote.quote(operation.rawValue)
                throw StoreError("Invalid KVS operation \(verb)")
            }
        } catch {
            return .refused(.invalid(error.message))
        }
    }

    /// Writes an entry unless it is there already just so; returns it with its indexes.
    @discardableResult
    mutating func setKey(
        _ entry: KeyValueEntry,
        keepingSession: Bool,
        _ context: inout WriteContext
    ) -> KeyValueEntry {
        var entry = entry
        let old = keyTable.find(entry.key)
        entry.indexes.create = old?.indexes.create ?? context.index
        if keepingSession {
            entry.session = old?.session ?? ""
        }
        if let old, old.isSame(as: entry) {
            entry.indexes.modify = old.indexes.modify
            return entry
        }
        entry.indexes.modify = context.index
        let record = KeyValueRecord(entry)
        _ = Bytes.with(entry.key) { keyTable.entries.insert(record, at: $0) }
        let oldSession = old?.session ?? ""
        if !Bytes.equal(oldSession, entry.session) {
            let held = HeldKey(session: oldSession.folded, key: entry.key)
            keyTable.heldKeys.remove(held)
            if !entry.session.isEmpty {
                let holds = HeldKey(session: entry.session.folded, key: entry.key)
                keyTable.heldKeys.insert(holds, at: holds)
            }
        }
        indexes.keyValues = context.index
        context.changes.touchKey(entry.key)
        return entry
    }

    /// Writes the entry when the key is at `entry.indexes.modify`; 0 means that it must not exist.
    mutating func setKeyIfUnchanged(
        _ entry: KeyValueEntry,
        _ context: inout WriteContext
    ) -> KeyValueEntry? {
        let current = keyTable.find(entry.key)?.indexes.modify ?? .zero
        guard current == entry.indexes.modify else { return nil }
        return setKey(entry, keepingSession: true, &context)
    }

    mutating func deleteKey(_ key: String, _ context: inout WriteContext) {
        guard let old = Bytes.with(key, { keyTable.entries.remove($0) }) else { return }
        forgetHolder(of: old)
        keyTable.bury(key, isTree: false, at: context.index)
        indexes.tombstones = context.index
        context.changes.leftTombstones = true
        indexes.keyValues = context.index
        context.changes.touchKey(key)
    }

    /// Deletes the key when it is at `index`; true when it is not there any more.
    mutating func deleteKey(
        _ key: String,
        ifAt index: LogIndex,
        _ context: inout WriteContext
    ) -> Bool {
        guard let old = keyTable.find(key) else { return true }
        guard old.indexes.modify == index else { return false }
        deleteKey(key, &context)
        return true
    }

    /// Deletes every key below a prefix, leaving one tombstone; O(keys deleted).
    mutating func deleteTree(_ prefix: String, _ context: inout WriteContext) {
        guard !prefix.isEmpty else { return deleteAllKeys(&context) }
        var doomed: [KeyValueRecord] = []
        keyTable.forEach(prefix: prefix) { doomed.append($0) }
        guard !doomed.isEmpty else { return }
        for record in doomed {
            record.withKey { _ = keyTable.entries.remove($0) }
            forgetHolder(of: record)
        }
        keyTable.bury(prefix, isTree: true, at: context.index)
        indexes.tombstones = context.index
        context.changes.leftTombstones = true
        indexes.keyValues = context.index
        context.changes.touchPrefix(prefix)
    }

    private mutating func deleteAllKeys(_ context: inout WriteContext) {
        guard !keyTable.entries.isEmpty else { return }
        keyTable.entries = OrderedTree()
        keyTable.heldKeys = OrderedTree()
        keyTable.bury("", isTree: true, at: context.index)
        indexes.tombstones = context.index
        context.changes.leftTombstones = true
        indexes.keyValues = context.index
        context.changes.touchPrefix("")
    }

    private mutating func forgetHolder(of record: KeyValueRecord) {
        let session = record.session
        guard !session.isEmpty else { return }
        keyTable.heldKeys.remove(HeldKey(session: session.folded, key: record.key))
    }

    /// Writes the entry with `entry.session` as the lock's holder; nil when another session holds
    /// it.
    ///
    /// - Source: Consul: PUT /v1/kv/:key?acquire=
    mutating func lockKey(
        _ entry: KeyValueEntry,
        _ context: inout WriteContext
    ) throws(StoreError) -> KeyValueEntry? {
        guard !entry.session.isEmpty else { throw StoreError("missing session") }
        guard sessionTable.find(entry.session) != nil else {
            if let flaw = UUIDText.lookupFlaw(of: entry.session) {
                throw StoreError("failed session lookup: index error: \(flaw)")
            }
            throw StoreError("invalid session \(GoQuote.quote(entry.session))")
        }
        var entry = entry
        if let old = keyTable.find(entry.key) {
            let holder = old.session
            if Bytes.equal(holder, entry.session) {
                entry.lockIndex = old.lockIndex
            } else {
                guard holder.isEmpty else { return nil }
                entry.lockIndex = old.lockIndex &+ 1
            }
        } else {
            entry.lockIndex = 1
        }
        return setKey(entry, keepingSession: false, &context)
    }

    /// Writes the entry and frees its lock; nil when `entry.session` does not hold it.
    ///
    /// - Source: Consul: PUT /v1/kv/:key?release=
    mutating func unlockKey(
        _ entry: KeyValueEntry,
        _ context: inout WriteContext
    ) throws(StoreError) -> KeyValueEntry? {
        guard !entry.session.isEmpty else { throw StoreError("missing session") }
        guard let old = keyTable.find(entry.key) else { return nil }
        guard Bytes.equal(old.session, entry.session) else { return nil }
        var entry = entry
        entry.session = ""
        entry.lockIndex = old.lockIndex
        return setKey(entry, keepingSession: false, &context)
    }
}

extension KeyValueRecord {
    /// True when writing `entry` would change nothing.
    func isSame(as entry: KeyValueEntry) -> Bool {
        lockIndex == entry.lockIndex && flags == entry.flags && Bytes.equal(session, entry.session)
            && withValue { stored in
                entry.value.withUnsafeBytes { Bytes.order(stored, $0) == 0 }
            }
    }
}
