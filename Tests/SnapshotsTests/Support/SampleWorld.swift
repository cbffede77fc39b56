import Model
import Raft
import StateStore

@testable import Snapshots

/// A small store with something of everything, and the metadata of a snapshot of it.
struct SampleWorld {
    var store = StateStore()
    var metadata: SnapshotMetadata
    private var index: UInt64 = 10

    init() {
        let member = ClusterMember(
            id: NodeID(rawValue: 0x2E62_2925),
            role: .voter,
            address: "127.0.0.1:8300"
        )
        metadata = SnapshotMetadata(
            stateIndex: LogIndex(rawValue: 40),
            position: LogPosition(index: LogIndex(rawValue: 33), term: Term(rawValue: 2)),
            configuration: PlacedConfiguration(
                index: LogIndex(rawValue: 1),
                configuration: ClusterConfiguration(members: [member])
            ),
            created: Timestamp(nanosecondsSinceEpoch: 1_795_231_528_758_000_000)
        )
        metadata.cluster = 0xAA57_20C3
        metadata.indexOffset = 7
        metadata.lastStamp = Timestamp(nanosecondsSinceEpoch: 99)
        metadata.requests = [1, 2, 3]
        fill()
    }

    private mutating func fill() {
        var register = RegisterCommand()
        register.node.name = "n1"
        register.node.address = "10.0.0.1"
        var service = CatalogService()
        service.name = "web"
        service.id = "web1"
        service.tags = ["a"]
        register.service = service
        var check = HealthCheck()
        check.node = "n1"
        check.id = "c"
        check.status = .warning
        register.checks = [check]
        apply(.register(register))
        put("a", [1, 2])
        put("b", [])
        put("c", [3])
        var entry = KeyValueEntry()
        entry.key = "c"
        apply(.keyValue(KeyValueCommand(operation: .delete, entry: entry)))
        var session = Session()
        session.id = "bbbbbbbb-0000-0000-0000-000000000001"
        session.node = "n1"
        session.lockDelay = .seconds(15)
        apply(.session(.create(session)))
        entry.key = "lock"
        entry.session = session.id
        apply(.keyValue(KeyValueCommand(operation: .lock, entry: entry)))
        apply(.session(.destroy(id: session.id)))
        apply(.autopilot(AutopilotCommand(configuration: AutopilotConfiguration(), casIndex: nil)))
        metadata.stateIndex = LogIndex(rawValue: index)
    }

    mutating func apply(_ command: Command) {
        index += 1
        var changes = ChangeSet()
        _ = store.apply(
            command,
            at: LogIndex(rawValue: index),
            stamped: Timestamp(nanosecondsSinceEpoch: index),
            into: &changes
        )
        metadata.stateIndex = LogIndex(rawValue: index)
    }

    mutating func put(_ key: String, _ value: [UInt8]) {
        var entry = KeyValueEntry()
        entry.key = key
        entry.value = value
        apply(.keyValue(KeyValueCommand(operation: .set, entry: entry)))
    }

    func archive() throws -> [UInt8] {
        try writeSnapshot(store, metadata)
    }
}

func writeSnapshot(
    _ store: StateStore,
    _ metadata: SnapshotMetadata,
    _ limits: SnapshotLimits = .init(),
    _ directory: String = "/tmp"
) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let writer = SnapshotWriter(limits: limits, spoolDirectory: directory)
    try writer.write(store: store, metadata: metadata) { bytes.append(contentsOf: $0) }
    return bytes
}

func readSnapshot(
    _ archive: [UInt8],
    pieceBytes: Int = 1 << 16,
    limits: SnapshotLimits = .init()
) throws -> (metadata: SnapshotMetadata, store: StateStore) {
    let reader = try SnapshotReader(limits: limits)
    for start in stride(from: 0, to: archive.count, by: pieceBytes) {
        try reader.consume(Array(archive[start..<min(start + pieceBytes, archive.count)]))
    }
    return try reader.finish()
}

func recordBytes(of store: StateStore) -> [UInt8] {
    var bytes: [UInt8] = []
    store.writeRecords { bytes.append(contentsOf: $0) }
    return bytes
}
