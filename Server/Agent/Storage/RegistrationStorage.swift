import LocalState
import Model
import Wire

/// Keeps what was registered over HTTP in the data directory, in Consul's layout.
///
/// ```
/// DATA/services/MD5-of-id         DATA/checks/MD5-of-id         DATA/checks/state/MD5-of-id
/// ```
/// A service or check is on the disk before its registration is answered; the verdicts of TTL
/// checks are written without waiting for the disk.
struct RegistrationStorage: Sendable {
    private let services: String
    private let checks: String
    private let states: String
    private let wallClock: @Sendable () -> Timestamp
    private let fileLimit: Int

    init(
        directory: String,
        fileLimit: Int,
        wallClock: @escaping @Sendable () -> Timestamp
    ) throws(StorageError) {
        services = "\(directory)/services"
        checks = "\(directory)/checks"
        states = "\(directory)/checks/state"
        self.fileLimit = fileLimit
        self.wallClock = wallClock
        for path in [services, states] { try FileSystem.makeDirectory(path) }
    }

    // MARK: Writing

    func apply(_ item: Persistence, from state: LocalState) throws(StorageError) {
        switch item {
        case .saveService(let id):
            guard let entry = state.service(id) else { return }
            var record = PersistedService()
            record.token = entry.token
            record.service = entry.service
            record.source = entry.source.rawValue
            record.isSidecar = entry.service.locallyRegisteredAsSidecar
            try save(record, at: "\(services)/\(MD5.hex(id))", isDurable: true)
        case .removeService(let id):
            try FileSystem.remove("\(services)/\(MD5.hex(id))")
        case .saveCheck(let id):
            guard let entry = state.check(id) else { return }
            var record = PersistedCheck()
            record.check = entry.check
            record.definition = entry.definition ?? CheckRegistration()
            record.token = entry.token
            record.source = entry.source.rawValue
            try save(record, at: "\(checks)/\(MD5.hex(id))", isDurable: true)
        case .removeCheck(let id):
            try FileSystem.remove("\(checks)/\(MD5.hex(id))")
        case .saveCheckState(let id, let lifetime):
            guard let entry = state.check(id) else { return }
            var record = PersistedCheckState()
            record.checkID = id
            record.output = entry.check.output
            record.status = entry.check.status
            record.expires = Int(wallClock().advanced(by: lifetime).seconds)
            try save(record, at: "\(states)/\(MD5.hex(id))", isDurable: false)
        case .removeCheckState(let id):
            try FileSystem.remove("\(states)/\(MD5.hex(id))")
        }
    }

    private func save(
        _ record: some WireRecord,
        at path: String,
        isDurable: Bool
    ) throws(StorageError) {
        try FileSystem.replace(path, with: JSON.encode(record), isDurable: isDurable)
    }

    // MARK: Reading

    /// Every kept service; `complain` hears of each file that cannot be used.
    func loadServices(_ complain: (String) -> Void) -> [PersistedService] {
        load(PersistedService.self, from: services, what: "service", complain)
            .filter { !$0.service.id.isEmpty }
    }

    func loadChecks(_ complain: (String) -> Void) -> [PersistedCheck] {
        load(PersistedCheck.self, from: checks, what: "check", complain)
            .filter { !$0.check.id.isEmpty }
    }

    /// The verdict kept for a check, unless it has expired.
    func loadState(of id: String, _ complain: (String) -> Void) -> PersistedCheckState? {
        let path = "\(states)/\(MD5.hex(id))"
        let now = Int(wallClock().seconds)
        guard let record = load(PersistedCheckState.self, at: path, what: "check state", complain)
        else { return nil }
        guard record.expires >= now, record.checkID == id else {
            try? FileSystem.remove(path)  // Left over; it will be replaced by the next report.
            return nil
        }
        return record
    }

    private func load<Record: WireRecord>(
        _ type: Record.Type,
        from folder: String,
        what: String,
        _ complain: (String) -> Void
    ) -> [Record] {
        let names: [String]
        do throws(StorageError) {
            names = try FileSystem.list(folder)
        } catch {
            complain("failed reading \(what)s: \(error.description)")
            return []
        }
        return names.compactMap { name in
            let path = "\(folder)/\(name)"
            guard !FileSystem.isDirectory(path) else { return nil }
            guard !name.hasSuffix(FileSystem.temporarySuffix) else {
                try? FileSystem.remove(path)  // The rest of a write that never ended.
                return nil
            }
            return load(type, at: path, what: what, complain)
        }
    }

    private func load<Record: WireRecord>(
        _ type: Record.Type,
        at path: String,
        what: String,
        _ complain: (String) -> Void
    ) -> Record? {
        do {
            let bytes = try FileSystem.read(path, limit: fileLimit)
            return try JSON.decode(type, from: bytes)
        } catch let error as WireError {
            complain(
                "failed decoding \(what) file: file=\(path) error=\"\(error.message)\"; "
                    + "it is ignored, remove it or restore it from a backup"
            )
        } catch let error as StorageError {
            if what != "check state" { complain("failed reading \(what) file: \(error)") }
        } catch {
            complain("failed reading \(what) file: file=\(path)")
        }
        return nil
    }
}

extension Timestamp {
    /// Whole seconds since 1970.
    var seconds: UInt64 { nanosecondsSinceEpoch / 1_000_000_000 }
}
