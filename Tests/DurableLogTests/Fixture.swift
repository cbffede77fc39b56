import DurableLog
import Model
import Raft
import StorageSimulation
import WriteAheadLog

typealias Log = DurableLog<SimulatedStorage>

let server = NodeID(rawValue: 11)

/// Small enough that a few entries fill a segment.
let smallLimits = WriteAheadLogLimits(
    segmentSizeBytes: 2048,
    entryBytes: 256,
    batchBytes: 1024,
    segments: 64,
    entries: 400,
    reserveBytes: 0,
    readBytes: 512
)

func openLog(
    _ disk: SimulatedStorage,
    commitInterval: UInt64 = 4
) throws(DurableLogError) -> Log {
    try Log.open(disk, server: server, limits: smallLimits, commitInterval: commitInterval)
}

func index(_ number: UInt64) -> LogIndex { LogIndex(rawValue: number) }

func position(_ number: UInt64, term: UInt64) -> LogPosition {
    LogPosition(index: index(number), term: Term(rawValue: term))
}

func command(_ number: UInt64, term: UInt64 = 1, bytes: Int = 20) -> Entry {
    let payload = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &+ Int(number)) }
    return Entry(index: index(number), term: Term(rawValue: term), body: .command(payload))
}

func member(_ number: UInt64, _ role: MemberRole = .voter, at address: String = "") -> ClusterMember
{
    ClusterMember(id: NodeID(rawValue: UInt128(number)), role: role, address: address)
}

let threeMembers = ClusterConfiguration(
    members: [member(11, at: "10.0.0.1:8300"), member(12, at: "10.0.0.2:8300"), member(13)]
)

func point(_ number: UInt64, term: UInt64) -> SnapshotPoint {
    SnapshotPoint(
        position: position(number, term: term),
        configuration: PlacedConfiguration(index: index(1), configuration: threeMembers)
    )
}

func snapshot(_ number: UInt64, term: UInt64, cluster: UInt128 = 7) -> StoredSnapshot {
    StoredSnapshot(cluster: cluster, point: point(number, term: term))
}

func hardState(_ term: UInt64, vote: UInt64? = nil) -> LogWrite {
    let id = vote.map { NodeID(rawValue: UInt128($0)) }
    return .hardState(HardState(term: Term(rawValue: term), votedFor: id))
}

/// The error that `body` ends with; nil when it does not.
func failure(_ body: () throws(DurableLogError) -> Void) -> DurableLogError? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}

/// A log of cluster 7 with the first members and commands up to `last`, all of term 1.
func filledDisk(
    through last: UInt64,
    commit: UInt64 = 0
) throws(DurableLogError) -> SimulatedStorage {
    let disk = SimulatedStorage()
    var log = try openLog(disk)
    try log.bootstrap(cluster: 7, threeMembers)
    for number in 2...last {
        try log.stage([.append([command(number)])], commit: .zero)
        try log.commit()
    }
    try log.close(commit: index(commit))
    return disk
}
