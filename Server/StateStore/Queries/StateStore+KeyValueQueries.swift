package import Model

extension StateStore {
    /// The entry of a key, or nil.
    ///
    /// - Source: Consul: GET /v1/kv/:key
    package func keyValue(_ key: String) -> Answer<KeyValueRecord?> {
        let record = keyTable.find(key)
        return Answer(record, record?.indexes.modify ?? indexes.keyValues, [.key(key)])
    }

    /// The entries whose keys begin with `prefix`, ascending by key.
    ///
    /// The index is the greatest of theirs and of the deletions below the prefix, as far as
    /// tombstones remember.
    /// - Source: Consul: GET /v1/kv/:prefix?recurse
    package func keyValues(prefix: String) -> Answer<[KeyValueRecord]> {
        var records: [KeyValueRecord] = []
        var greatest = LogIndex.zero
        keyTable.forEach(prefix: prefix) { record in
            records.append(record)
            greatest = max(greatest, record.indexes.modify)
        }
        return Answer(records, prefixIndex(prefix, greatest), [.keyPrefix(prefix)])
    }

    /// The keys that begin with `prefix`, cut after the first separator behind it, each once,
    /// ascending.
    ///
    /// An empty separator cuts nothing.
    /// - Source: Consul: GET /v1/kv/:prefix?keys&separator=
    package func keys(prefix: String, separator: String = "") -> Answer<[String]> {
        var keys: [String] = []
        var greatest = LogIndex.zero
        let prefixLength = prefix.utf8.count
        let separatorBytes = Array(separator.utf8)
        keyTable.forEach(prefix: prefix) { record in
            greatest = max(greatest, record.indexes.modify)
            let key = record.withKey { bytes in
                let length = Self.length(of: bytes, from: prefixLength, cutAfter: separatorBytes)
                return String(decoding: bytes[..<length], as: UTF8.self)
            }
            if keys.last.map({ !Bytes.equal($0, key) }) ?? true {
                keys.append(key)
            }
        }
        return Answer(keys, prefixIndex(prefix, greatest), [.keyPrefix(prefix)])
    }

    /// How much of a key is shown: up to and including the first separator at or behind `start`.
    private static func length(
        of bytes: UnsafeRawBufferPointer,
        from start: Int,
        cutAfter separator: [UInt8]
    ) -> Int {
        guard !separator.isEmpty, bytes.count >= start + separator.count else { return bytes.count }
        for offset in start...(bytes.count - separator.count)
        where bytes[offset..<offset + separator.count].elementsEqual(separator) {
            return offset + separator.count
        }
        return bytes.count
    }

    /// The index of a list below a prefix whose entries reach `greatest`.
    ///
    /// - Deviation: Consul's goes back when tombstones are reaped; ours then moves to the last one
    ///   reaped.
    private func prefixIndex(_ prefix: String, _ greatest: LogIndex) -> LogIndex {
        guard !prefix.isEmpty else { return indexes.keyValues }
        let remembered = max(
            greatest,
            keyTable.tombstoneIndex(prefix: prefix)
        )
        // Nothing was ever here, or nobody remembers: the whole table answers, as in Consul.
        guard remembered != .zero else { return indexes.keyValues }
        return max(remembered, indexes.reapedTombstones)
    }

    /// True while a lock-delay keeps the key from being locked at this moment.
    package func isLockDelayed(_ key: String, now: Timestamp) -> Bool {
        keyTable.isDelayed(key, now: now)
    }
}
