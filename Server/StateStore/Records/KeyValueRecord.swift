package import Model

/// A key with its value: one allocation of the two and 48 bytes.
///
/// Its JSON is made when it is read.
package struct KeyValueRecord: Sendable {
    struct Header: Sendable {
        let indexes: RecordIndexes
        /// What few keys have; nil when all of it is zero.
        let lock: LockState?
        let keyLength: UInt32
        let valueLength: UInt32
    }

    /// The parts of an entry that are seldom set.
    final class LockState: Sendable {
        let flags: UInt64
        let lockIndex: UInt64
        let session: String

        init?(_ entry: KeyValueEntry) {
            guard entry.flags != 0 || entry.lockIndex != 0 || !entry.session.isEmpty else {
                return nil
            }
            flags = entry.flags
            lockIndex = entry.lockIndex
            session = entry.session
        }
    }

    let storage: RecordStorage<Header>

    init(_ entry: KeyValueEntry) {
        let keyLength = entry.key.utf8.count
        let header = Header(
            indexes: entry.indexes,
            lock: LockState(entry),
            keyLength: UInt32(truncatingIfNeeded: keyLength),
            valueLength: UInt32(truncatingIfNeeded: entry.value.count)
        )
        storage = RecordStorage(header, count: keyLength + entry.value.count) { bytes in
            Bytes.with(entry.key) { bytes.copyMemory(from: $0) }
            entry.value.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: bytes[keyLength...]).copyMemory(from: $0)
            }
        }
    }

    package var key: String { storage.text(from: 0, count: Int(storage.header.keyLength)) }
    package var flags: UInt64 { storage.header.lock?.flags ?? 0 }
    package var lockIndex: UInt64 { storage.header.lock?.lockIndex ?? 0 }
    /// The session that holds the lock, or empty.
    package var session: String { storage.header.lock?.session ?? "" }
    package var indexes: RecordIndexes { storage.header.indexes }

    package func withKey<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        storage.withBytes(from: 0, count: Int(storage.header.keyLength), body)
    }

    package func withValue<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let header = storage.header
        return storage.withBytes(
            from: Int(header.keyLength),
            count: Int(header.valueLength),
            body
        )
    }

    /// The whole entry, copied.
    package var entry: KeyValueEntry {
        var entry = KeyValueEntry()
        entry.key = key
        entry.value = withValue { Array($0) }
        entry.flags = flags
        entry.lockIndex = lockIndex
        entry.session = session
        entry.indexes = indexes
        return entry
    }
}

extension KeyValueRecord: TreeElement {
    static func order(_ key: UnsafeRawBufferPointer, _ element: KeyValueRecord) -> Int {
        element.withKey { Bytes.order(key, $0) }
    }
}
