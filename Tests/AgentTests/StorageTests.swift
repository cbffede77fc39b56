import Glibc
import LocalState
import Model
import Synchronization
import Testing

@testable import Agent

/// A directory of its own for one test; gone with it.
private final class Folder {
    let path: String

    init() throws {
        path = "/tmp/muster-storage-\(UUIDs.random())"
        try FileSystem.makeDirectory(path)
    }

    deinit {
        let names = ["services", "checks/state", "checks", ""]
        for name in names {
            let folder = "\(path)/\(name)"
            // What cannot be listed or removed is left to the system's own cleaning.
            for file in (try? FileSystem.list(folder)) ?? [] { unlink("\(folder)/\(file)") }
            rmdir(folder)
        }
    }
}

@Suite struct StorageTests {
    private let folder: Folder
    private let storage: RegistrationStorage
    private var state = LocalState(configuration: LocalConfiguration(), seed: 1)

    init() throws {
        folder = try Folder()
        storage = try RegistrationStorage(directory: folder.path, fileLimit: 1 << 20) {
            Timestamp(nanosecondsSinceEpoch: 1_000_000_000_000)
        }
    }

    /// Registers a service with a TTL check, as a client would, and keeps what must be kept.
    private mutating func register(_ name: String) throws {
        var registration = ServiceRegistration()
        registration.name = name
        registration.tags = ["a"]
        var check = CheckRegistration()
        check.ttl = .seconds(30)
        registration.checks = [check]
        var effects = LocalEffects()
        let now = Instant(nanoseconds: 1)
        let options = RegistrationOptions(source: .remote, token: "secret")
        try state.register(registration, options: options, now: now, into: &effects)
        try state.setTTL(
            check: "service:\(name)",
            status: .passing,
            output: "fine",
            now: now,
            into: &effects
        )
        for item in effects.persist { try storage.apply(item, from: state) }
    }

    @Test mutating func whatWasKeptComesBack() throws {
        try register("web")
        let complaints = Mutex<[String]>([])
        let complain = { (text: String) in complaints.withLock { $0.append(text) } }
        let services = storage.loadServices(complain)
        #expect(services.map(\.service.name) == ["web"])
        #expect(services.first?.token == "secret")
        #expect(services.first?.service.tags == ["a"])
        let checks = storage.loadChecks(complain)
        #expect(checks.map(\.check.id) == ["service:web"])
        #expect(checks.first?.definition.ttl == .seconds(30))
        let verdict = storage.loadState(of: "service:web", complain)
        #expect(verdict?.status == .passing)
        #expect(verdict?.output == "fine")
        #expect(complaints.withLock { $0 } == [])
    }

    @Test mutating func anExpiredVerdictIsForgotten() throws {
        try register("web")
        let later = try RegistrationStorage(directory: folder.path, fileLimit: 1 << 20) {
            Timestamp(nanosecondsSinceEpoch: 1_031_000_000_000)
        }
        #expect(later.loadState(of: "service:web", { _ in }) == nil)
    }

    @Test mutating func aDamagedFileIsNamedAndTheOthersStillLoad() throws {
        try register("web")
        try register("db")
        let path = "\(folder.path)/services/\(MD5.hex("web"))"
        for damage in ["", "{", "{\"Service\":5}", "\u{0}\u{1}"] {
            try FileSystem.replace(path, with: Array(damage.utf8), isDurable: false)
            let complaints = Mutex<[String]>([])
            let services = storage.loadServices { text in
                complaints.withLock { $0.append(text) }
            }
            #expect(services.map(\.service.name) == ["db"])
            #expect(complaints.withLock { $0 }.count == 1)
            #expect(complaints.withLock { $0 }.first?.contains(path) == true)
        }
    }

    @Test mutating func whatIsRemovedDoesNotComeBack() throws {
        try register("web")
        var effects = LocalEffects()
        try state.deregisterService("web", now: Instant(nanoseconds: 2), into: &effects)
        for item in effects.persist { try storage.apply(item, from: state) }
        #expect(storage.loadServices { _ in }.isEmpty)
        #expect(storage.loadChecks { _ in }.isEmpty)
        #expect(storage.loadState(of: "service:web", { _ in }) == nil)
    }

    @Test mutating func theRestOfAnUnfinishedWriteIsCleared() throws {
        try register("web")
        let leftover = "\(folder.path)/services/abc.tmp"
        try FileSystem.replace(leftover, with: [0x7b], isDurable: false)
        #expect(storage.loadServices { _ in }.count == 1)
        #expect(!FileSystem.exists(leftover))
    }

    /// - Source: RFC 1321 §A.5
    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"
        ),
    ])
    func theDigestIsTheOneOfTheStandard(text: String, digest: String) {
        #expect(MD5.hex(text) == digest)
    }

    @Test func randomIdentifiersHaveTheRightForm() {
        for _ in 0..<100 {
            let id = UUIDs.random()
            #expect(UUIDs.isValid(id))
            #expect(Array(id)[14] == "4")
        }
        for text in [
            "", "x", "11111111-2222-3333-4444-55555555555", "11111111222233334444555555555555",
        ] {
            #expect(!UUIDs.isValid(text))
        }
    }
}
