package import Model
package import Raft
package import WriteAheadLog

/// Why a server cannot start from its data directory, or cannot go on.
///
/// After any of these the owner ends the process: memory and disk may differ.
package enum DurableLogError: Error, Hashable, Sendable {
    /// The log on disk failed, is damaged, or belongs to somebody else.
    case log(WriteAheadLogError)
    /// The log is at its limit and the core already counts on the entry.
    ///
    /// Asking `hasRoom` before taking proposals, and compacting, keeps a server away from here.
    case full(LogRefusal)
    /// An entry verifies but means nothing to this version.
    case unreadableEntry(LogIndex, type: UInt8)
    /// The log begins behind entries that only a snapshot could hold, and there is none.
    case snapshotMissing(base: LogPosition)
    /// The newest snapshot ends before the log begins: entries between them are gone.
    case snapshotTooOld(snapshot: LogPosition, base: LogPosition)
    /// Snapshot and log hold different entries where both are committed.
    case snapshotContradictsLog(snapshot: LogPosition, term: Term)
    /// There is a snapshot but the log is new: the votes of this server are forgotten.
    case logMissing(snapshot: LogPosition)
    /// The snapshot belongs to another cluster than the log.
    case foreignSnapshot(expected: UInt128, found: UInt128)
    /// The log ends before an entry that it once knew to be committed.
    case committedEntriesMissing(commit: LogIndex, last: LogIndex)
    /// The file that remembers other servers is damaged.
    case marksDamaged(String)
    /// The core asked for a change that the log cannot contain; memory and disk differ.
    case contradiction(String)

    /// What happened and what to do about it.
    package var message: String {
        switch self {
        case .log(let error): error.message
        case .full(let refusal):
            "the log cannot take an entry: \(refusal.message); "
                + "start again with higher limits or more space, the log is checked at start"
        case .unreadableEntry(let index, let type):
            "entry \(index.rawValue) of the log has type \(type) and contents that this version "
                + "cannot read; start it with the version that wrote it"
        case .snapshotMissing(let base):
            "the log begins after entry \(base.index.rawValue), but there is no snapshot that "
                + "holds what came before. " + Self.remedy
        case .snapshotTooOld(let snapshot, let base):
            "the newest snapshot ends at entry \(snapshot.index.rawValue), but the log begins "
                + "after entry \(base.index.rawValue): what lies between is gone. " + Self.remedy
        case .snapshotContradictsLog(let snapshot, let term):
            "the snapshot holds entry \(snapshot.index.rawValue) of term "
                + "\(snapshot.term.rawValue), the log the same entry of term \(term.rawValue), "
                + "though it is committed: one of them is of another server. " + Self.remedy
        case .logMissing(let snapshot):
            "there is a snapshot up to entry \(snapshot.index.rawValue) but no log: this server "
                + "no longer knows how it voted. " + Self.remedy
        case .foreignSnapshot(let expected, let found):
            "the snapshot belongs to cluster \(String(found, radix: 16)), the log to "
                + "\(String(expected, radix: 16)). " + Self.remedy
        case .committedEntriesMissing(let commit, let last):
            "the log ends at entry \(last.rawValue), but entry \(commit.rawValue) was in it and "
                + "committed. " + Self.remedy
        case .marksDamaged(let reason):
            "\(ServerMarks.fileName) is damaged: \(reason); nothing was changed. It only remembers "
                + "other servers, to know old images of their disks: remove it and start again"
        case .contradiction(let text):
            "the log on disk is not what this server believes: \(text); start it again, the log "
                + "is checked at start"
        }
    }

    private static let remedy =
        "Nothing was changed. Restore the whole data directory of this server from one moment, or "
        + "set it aside and let the server join again with an empty one and a new id"
}
