package import Model
import Wire

/// A check as the store keeps it: what queries decide by, and its JSON.
///
/// One word; copies share.
package struct CheckRecord: Sendable {
    struct Header: Sendable {
        let nodeName: NodeName
        let serviceName: String
        let indexes: RecordIndexes
        let id: StoredID
        let serviceIDLength: UInt32
        let jsonLength: UInt32
        let status: CompactStatus
        let hasTags: Bool
    }

    enum CompactStatus: UInt8, Sendable {
        case passing
        case warning
        case critical
        case other
    }

    let storage: RecordStorage<Header>

    /// `serviceName` is the check's, as a string that other records may have too.
    init(
        _ check: HealthCheck,
        json: [UInt8],
        foldedID: String,
        nodeName: NodeName,
        serviceName: String,
        hasTags: Bool
    ) {
        let id = StoredID(check.id, folded: foldedID)
        let serviceIDLength = check.serviceID.utf8.count
        let header = Header(
            nodeName: nodeName,
            serviceName: serviceName,
            indexes: check.indexes,
            id: id,
            serviceIDLength: UInt32(truncatingIfNeeded: serviceIDLength),
            jsonLength: UInt32(truncatingIfNeeded: json.count),
            status: CompactStatus(check.status),
            hasTags: hasTags
        )
        let jsonOffset = id.byteCount + serviceIDLength
        storage = RecordStorage(header, count: jsonOffset + json.count) { bytes in
            id.write(check.id, folded: foldedID, to: bytes)
            Bytes.with(check.serviceID) {
                UnsafeMutableRawBufferPointer(rebasing: bytes[id.byteCount...]).copyMemory(from: $0)
            }
            json.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: bytes[jsonOffset...]).copyMemory(from: $0)
            }
        }
    }

    package var id: String { storage.text(from: 0, count: Int(storage.header.id.length)) }
    /// Empty for a check of the node itself.
    package var serviceID: String {
        let header = storage.header
        return storage.text(from: header.id.byteCount, count: Int(header.serviceIDLength))
    }
    package var isNodeLevel: Bool { storage.header.serviceIDLength == 0 }
    package var serviceName: String { storage.header.serviceName }
    package var indexes: RecordIndexes { storage.header.indexes }

    package var status: CheckStatus {
        switch storage.header.status {
        case .passing: .passing
        case .warning: .warning
        case .critical: .critical
        case .other: check.status
        }
    }

    /// Lends the object that `HealthCheck` stands for in replies.
    package func withJSON<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let header = storage.header
        let offset = header.id.byteCount + Int(header.serviceIDLength)
        return storage.withBytes(from: offset, count: Int(header.jsonLength), body)
    }

    /// The whole check, decoded from its JSON: microseconds, for filters and other rare needs.
    package var check: HealthCheck {
        var check = withJSON { Fragment.decodeCheck($0) } ?? HealthCheck()
        if !storage.header.hasTags {
            check.serviceTags = nil
        }
        return check
    }

    var nodeName: NodeName { storage.header.nodeName }
    var isPassing: Bool { storage.header.status == .passing }
    var foldedID: String {
        let id = storage.header.id
        return storage.text(from: id.foldedOffset, count: id.foldedCount)
    }
}

extension CheckRecord: TreeElement {
    /// Within one node, by folded id.
    static func order(_ key: UnsafeRawBufferPointer, _ element: CheckRecord) -> Int {
        let id = element.storage.header.id
        return element.storage.withBytes(from: id.foldedOffset, count: id.foldedCount) {
            Bytes.order(key, $0)
        }
    }

    func order(_ id: String) -> Int {
        Bytes.with(id) { Self.order($0, self) }
    }
}

extension CheckRecord.CompactStatus {
    init(_ status: CheckStatus) {
        switch status {
        case .passing: self = .passing
        case .warning: self = .warning
        case .critical: self = .critical
        default: self = .other
        }
    }
}

/// A check among those of all nodes: by folded node name, then by folded id.
struct CheckOfAnyNode: TreeElement {
    let record: CheckRecord

    static func order(_ key: NodeScopedKey, _ element: CheckOfAnyNode) -> Int {
        let byNode = NodeName.order(key.node, element.record.nodeName)
        return byNode != 0 ? byNode : CheckRecord.order(key.id, element.record)
    }
}

/// A change of a list of checks.
enum CheckEdit {
    /// Puts the check in its place, or replaces the one of the same id.
    case set(CheckRecord)
    /// Takes out the check of this folded id, if it is there.
    case remove(String)
}

/// The checks of one service instance, ascending by folded id; nothing is allocated for one.
enum CheckList: Sendable {
    case none
    case one(CheckRecord)
    case many([CheckRecord])

    init(_ checks: [CheckRecord]) {
        switch checks.count {
        case 0: self = .none
        case 1: self = .one(checks[0])
        default: self = .many(checks)
        }
    }

    var array: [CheckRecord] {
        switch self {
        case .none: []
        case .one(let check): [check]
        case .many(let checks): checks
        }
    }

    mutating func apply(_ edit: CheckEdit) {
        switch (self, edit) {
        case (.none, .set(let check)):
            self = .one(check)
            return
        case (.one(let old), .set(let check)) where old.order(check.foldedID) == 0:
            self = .one(check)
            return
        default:
            break
        }
        var checks = array
        // The array's only owner from here on, so that it changes in place.
        self = .none
        checks.apply(edit)
        self = CheckList(checks)
    }
}

/// Lists of checks in ascending order of their folded ids.
extension [CheckRecord] {
    /// O(log n) comparisons; moves what follows when the length changes.
    mutating func apply(_ edit: CheckEdit) {
        switch edit {
        case .set(let check):
            let (place, found) = position(of: check.foldedID)
            if found {
                self[place] = check
            } else {
                insert(check, at: place)
            }
        case .remove(let id):
            let (place, found) = position(of: id)
            if found { remove(at: place) }
        }
    }

    private func position(of id: String) -> (place: Int, found: Bool) {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            let order = self[middle].order(id)
            if order == 0 { return (middle, true) }
            if order < 0 {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return (low, false)
    }
}
