import MusterBalancing

/// A list of instances as it is kept in a file for the next start.
///
/// ```
/// 0   8  magic "MUSTERSN"
/// 8   2  version, 1
/// 10  2  0
/// 12  4  length of the payload in bytes
/// 16  8  checksum of bytes 8 to 15 and the payload
/// 24  …  payload: key, confirmed (seconds since 1970), index, count, then the instances
/// ```
///
/// Numbers are big-endian; a text is its length in UTF-8 bytes (4) and those. An instance is node,
/// service id, host, port (2), weight (4), health (1), tags, metadata pairs sorted by key,
/// datacenter, and zone behind a 0 or 1. What follows a list's count is repeated that often.
struct KeptList: Equatable {
    /// Why a file is not used.
    enum Refusal: Error, Equatable, CustomStringConvertible {
        case damaged(String)
        case newerVersion(UInt16)
        /// It belongs to another query; two keys may have one hash.
        case foreign

        var description: String {
            switch self {
            case .damaged(let what): "it is damaged: \(what)"
            case .newerVersion(let version): "version \(version) is newer than this program's"
            case .foreign: "it belongs to another query"
            }
        }
    }

    private static let magic = Array("MUSTERSN".utf8)
    private static let version: UInt16 = 1
    private static let headerBytes = 24

    /// What the list answers: the query, in one text.
    var key: String
    /// When the registry last confirmed it, since 1970.
    var confirmed: Duration
    var index: UInt64
    var instances: [Instance]

    /// The bytes of the file.
    var bytes: [UInt8] {
        var payload = ByteSink()
        payload.text(key)
        payload.number(UInt64(max(0, confirmed.components.seconds)))
        payload.number(index)
        payload.list(instances) { $0.instance($1) }
        var stated = ByteSink()
        stated.number(Self.version)
        stated.number(UInt16(0))
        stated.number(UInt32(payload.bytes.count))
        var file = ByteSink(bytes: Self.magic + stated.bytes)
        file.number(StableHash.of(stated.bytes + payload.bytes))
        return file.bytes + payload.bytes
    }

    init(key: String, confirmed: Duration, index: UInt64, instances: [Instance]) {
        self.key = key
        self.confirmed = confirmed
        self.index = index
        self.instances = instances
    }

    /// Reads a file's bytes; any bytes may be given.
    init(bytes: [UInt8], key: String) throws(Refusal) {
        guard bytes.count >= Self.headerBytes, bytes.starts(with: Self.magic) else {
            throw .damaged("it does not begin like one")
        }
        var header = ByteSource(bytes: bytes[Self.magic.count..<Self.headerBytes])
        let version: UInt16 = try header.number()
        guard version == Self.version else {
            throw version > Self.version ? .newerVersion(version) : .damaged("version \(version)")
        }
        let _: UInt16 = try header.number()
        let length: UInt32 = try header.number()
        let checksum: UInt64 = try header.number()
        let payload = bytes[Self.headerBytes...]
        guard payload.count == Int(length) else {
            throw .damaged("\(payload.count) bytes where \(length) belong")
        }
        let stated = bytes[Self.magic.count..<(Self.headerBytes - 8)]
        guard StableHash.of(stated + payload) == checksum else {
            throw .damaged("the checksum differs")
        }
        var source = ByteSource(bytes: payload)
        guard try source.text() == key else { throw .foreign }
        let seconds: UInt64 = try source.number()
        let index: UInt64 = try source.number()
        let instances = try source.list { source throws(Refusal) in try source.instance() }
        guard source.isAtEnd else { throw .damaged("more than its instances") }
        guard let seconds = Int64(exactly: seconds) else { throw .damaged("its moment") }
        self.init(key: key, confirmed: .seconds(seconds), index: index, instances: instances)
    }
}

/// Writes numbers and texts one behind the other.
private struct ByteSink {
    var bytes: [UInt8] = []

    mutating func number(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes += $0 }
    }

    mutating func text(_ text: String) {
        number(UInt32(text.utf8.count))
        bytes += text.utf8
    }

    mutating func list<Element>(
        _ elements: some Collection<Element>,
        _ write: (inout ByteSink, Element) -> Void
    ) {
        number(UInt32(elements.count))
        for element in elements { write(&self, element) }
    }

    mutating func instance(_ instance: Instance) {
        text(instance.id.node)
        text(instance.id.serviceID)
        text(instance.endpoint.host)
        number(instance.endpoint.port)
        number(instance.weight)
        number(instance.health.rawValue)
        list(instance.tags) { $0.text($1) }
        list(instance.meta.sorted { $0.key < $1.key }) {
            $0.text($1.key)
            $0.text($1.value)
        }
        text(instance.datacenter)
        number(UInt8(instance.zone == nil ? 0 : 1))
        if let zone = instance.zone { text(zone) }
    }
}

/// Reads what a ``ByteSink`` wrote, from bytes that may be anything.
private struct ByteSource {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var isAtEnd: Bool { position == bytes.endIndex }

    private mutating func take(_ count: Int) throws(KeptList.Refusal) -> ArraySlice<UInt8> {
        guard count <= bytes.endIndex - position else { throw .damaged("it ends too early") }
        defer { position += count }
        return bytes[position..<(position + count)]
    }

    mutating func number<Number: FixedWidthInteger>() throws(KeptList.Refusal) -> Number {
        try take(Number.bitWidth / 8).reduce(0) { $0 << 8 | Number($1) }
    }

    mutating func text() throws(KeptList.Refusal) -> String {
        let length: UInt32 = try number()
        guard let text = String(validating: try take(Int(length)), as: UTF8.self) else {
            throw .damaged("a text is not UTF-8")
        }
        return text
    }

    mutating func list<Element>(
        _ read: (inout ByteSource) throws(KeptList.Refusal) -> Element
    ) throws(KeptList.Refusal) -> [Element] {
        let count: UInt32 = try number()
        var elements: [Element] = []
        // Nothing is reserved for the count: it may be a lie, and each element takes bytes.
        for _ in 0..<count { elements.append(try read(&self)) }
        return elements
    }

    mutating func instance() throws(KeptList.Refusal) -> Instance {
        let id = InstanceID(node: try text(), serviceID: try text())
        let host = try text()
        let port: UInt16 = try number()
        guard let endpoint = ServiceEndpoint(host: host, port: port) else {
            throw .damaged("an address")
        }
        let weight: UInt32 = try number()
        guard let health = Health(rawValue: try number()) else { throw .damaged("a health") }
        let tags = try list { source throws(KeptList.Refusal) in try source.text() }
        let pairs = try list { source throws(KeptList.Refusal) in
            (try source.text(), try source.text())
        }
        let datacenter = try text()
        let hasZone: UInt8 = try number()
        return Instance(
            id: id,
            endpoint: endpoint,
            weight: weight,
            health: health,
            tags: tags,
            meta: Dictionary(pairs) { first, _ in first },
            datacenter: datacenter,
            zone: hasZone == 0 ? nil : try text()
        )
    }
}
