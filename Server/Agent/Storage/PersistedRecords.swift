import LocalState
import Model
import Wire

/// A registered service as it is kept on disk.
///
/// - Source: Consul: `services/` of its data directory.
struct PersistedService: WireRecord, Hashable {
    var token = ""
    var service = CatalogService()
    var source = ""
    var isSidecar = false

    static var goType: String { "agent.persistedService" }
    static var unknownKeys: UnknownKeys { .ignored }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Token", &token)
        try visitor.field("Service", &service)
        try visitor.field("Source", &source)
        try visitor.field("LocallyRegisteredAsSidecar", &isSidecar)
    }
}

/// A registered check as it is kept on disk.
///
/// - Source: Consul: `checks/` of its data directory.
struct PersistedCheck: WireRecord, Hashable {
    var check = HealthCheck()
    var definition = CheckRegistration()
    var token = ""
    var source = ""

    static var goType: String { "agent.persistedCheck" }
    static var unknownKeys: UnknownKeys { .ignored }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("Check", &check)
        try visitor.field("ChkType", &definition)
        try visitor.field("Token", &token)
        try visitor.field("Source", &source)
    }
}

/// The verdict of a TTL check, worth restoring until it expires.
///
/// - Source: Consul: `checks/state/` of its data directory.
struct PersistedCheckState: WireRecord, Hashable {
    var checkID = ""
    var output = ""
    var status = CheckStatus.critical
    /// Seconds since 1970.
    var expires: Int = 0

    static var goType: String { "agent.persistedCheckState" }
    static var unknownKeys: UnknownKeys { .ignored }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError) {
        try visitor.field("CheckID", &checkID)
        try visitor.field("Output", &output)
        try visitor.field("Status", &status)
        try visitor.field("Expires", &expires)
    }
}
