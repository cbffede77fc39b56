package import Model
import Raft

/// Why the log cannot go on, or would not take something.
package enum WriteAheadLogError: Error, Hashable, Sendable {
    /// The disk failed or is full: the log is over, and so must the process be.
    case storage(StorageFailure)
    /// Bytes that were acknowledged are not what was written; nothing was changed.
    case damaged(LogDamage)
    /// A segment belongs to another cluster or server; nothing was changed.
    case foreign(file: String, expected: LogIdentity, found: LogIdentity)
    /// Another version wrote the segment; nothing was changed.
    case otherVersion(file: String, found: UInt32)
    /// The log refused a change; it is as it was and goes on.
    case refused(LogRefusal)
    /// The log ended before: by `close`, or by the error that was thrown then.
    case ended

    /// Whether the log goes on after this error.
    package var isRefusal: Bool {
        if case .refused = self { true } else { false }
    }

    /// What happened, where, and what to do about it.
    package var message: String {
        switch self {
        case .storage(let failure) where failure.isOutOfSpace:
            "cannot \(failure.operation) \(failure.file): \(failure.reason); "
                + "free space on this file system and start again"
        case .storage(let failure):
            "cannot \(failure.operation) \(failure.file): \(failure.reason); "
                + "look after the disk and start again, the log is checked at start"
        case .damaged(let damage):
            "\(damage.file) is damaged at offset \(damage.offset): \(damage.reason); nothing was "
                + "changed. Set the directory aside and let this server join again with an empty "
                + "one, or restore the whole directory of this server from a backup"
        case .foreign(let file, let expected, let found):
            "\(file) belongs to cluster \(hexadecimal(found.cluster)) and server "
                + "\(hexadecimal(found.server.rawValue)), not to \(hexadecimal(expected.cluster)) "
                + "and \(hexadecimal(expected.server.rawValue)); "
                + "start with the data directory of this server"
        case .otherVersion(let file, let found):
            "\(file) has format version \(found), this program reads \(SegmentHeader.version); "
                + "start it with the version that wrote it"
        case .refused(let refusal):
            refusal.message
        case .ended:
            "the log is closed"
        }
    }

    private func hexadecimal(_ number: UInt128) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: 32 - text.count) + text
    }
}

/// A place in a file that does not hold what was written there.
package struct LogDamage: Error, Hashable, Sendable {
    package var file: String
    package var offset: Int
    package var reason: String

    package init(file: String, offset: Int, reason: String) {
        self.file = file
        self.offset = offset
        self.reason = reason
    }
}

/// A change that the log did not take.
package enum LogRefusal: Hashable, Sendable {
    case entryTooLarge(bytes: Int, limitBytes: Int)
    /// `WriteAheadLogLimits.segments` or `entries` is reached: compact first.
    case full
    /// The entry asked for is compacted or not written yet.
    case notInLog(LogIndex)

    package var message: String {
        switch self {
        case .entryTooLarge(let bytes, let limit):
            "an entry of \(bytes) bytes is more than the limit of \(limit)"
        case .full: "the log has reached its limit; it must be compacted first"
        case .notInLog(let index): "entry \(index.rawValue) is not in the log"
        }
    }
}
