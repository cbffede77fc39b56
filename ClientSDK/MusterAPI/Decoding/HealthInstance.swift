/// What balancing needs to know of one instance: a ``ServiceEntry`` without the rest.
public struct HealthInstance: Hashable, Sendable {
    /// The node's name.
    public var node = ""

    /// The node's address.
    public var nodeAddress = ""

    /// The node's datacenter.
    public var datacenter = ""

    /// The node's metadata.
    public var nodeMeta: [String: String] = [:]

    /// The instance's id, unique on its node.
    public var serviceID = ""

    /// The instance's address; empty when the node's counts.
    public var address = ""

    /// The instance's port, 0 for none.
    public var port = 0

    /// The instance's tags, in their order.
    public var tags: [String] = []

    /// The instance's metadata.
    public var meta: [String: String] = [:]

    /// The shares of traffic it asks for; nil when it does not say.
    public var weights: ServiceWeights?

    /// The worst state of all its checks, as ``ServiceEntry/aggregatedStatus`` gives it.
    public var status = CheckStatus.passing

    /// Makes an instance of nothing.
    public init() {}

    /// Takes from an entry what balancing needs.
    public init(_ entry: ServiceEntry) {
        node = entry.node.node
        nodeAddress = entry.node.address
        datacenter = entry.node.datacenter
        nodeMeta = entry.node.meta
        serviceID = entry.service.id
        address = entry.service.address
        port = entry.service.port
        tags = entry.service.tags
        meta = entry.service.meta
        weights = entry.service.weights
        status = entry.aggregatedStatus
    }
}

/// Reads the body of `/v1/health/service/:service` instance by instance.
///
/// About a tenth of what Foundation's decoder costs. Tags, metadata and names that are the same for
/// several instances share their storage, so that what is kept of a long list is small.
///
/// - Source: Consul: GET /v1/health/service/:service
public enum HealthEntryDecoder {
    /// Hands each instance to `body`, in the order of the text.
    ///
    /// - Parameters:
    ///   - bytes: The body, a JSON array of entries. Unknown members are skipped, missing and null
    ///     ones keep their defaults, a repeated one replaces the earlier.
    ///   - body: What is done with an instance. When the text proves broken further on, it has
    ///     been called for the instances before the fault.
    /// - Throws: ``MusterError`` with code `invalidResponse` that names fault and offset, or what
    ///   `body` throws.
    public static func decode(
        _ bytes: [UInt8],
        each body: (HealthInstance) throws -> Void
    ) throws {
        try bytes.withUnsafeBufferPointer { buffer in
            do {
                var reader = HealthReader(try JSONScanner(buffer), textBytes: buffer.count)
                var isFirst = true
                guard try reader.begin() else { return }
                while try reader.next(&isFirst) { try body(try reader.instance()) }
            } catch let fault as JSONFault {
                throw fault.asError(bytes)
            }
        }
    }

    /// Reads all entries with everything they hold.
    ///
    /// - Parameter bytes: The body, as for ``decode(_:each:)``.
    /// - Returns: The entries in the order of the text.
    /// - Throws: ``MusterError`` with code `invalidResponse` that names fault and offset.
    public static func entries(_ bytes: [UInt8]) throws -> [ServiceEntry] {
        try bytes.withUnsafeBufferPointer { buffer in
            do {
                var reader = HealthReader(try JSONScanner(buffer), textBytes: buffer.count)
                var entries: [ServiceEntry] = []
                var isFirst = true
                guard try reader.begin() else { return [] }
                while try reader.next(&isFirst) { entries.append(try reader.entry()) }
                return entries
            } catch let fault as JSONFault {
                throw fault.asError(bytes)
            }
        }
    }
}

extension JSONFault {
    /// The fault as the SDK's error.
    func asError(_ body: [UInt8]) -> MusterError {
        MusterError(
            code: .invalidResponse,
            message: "the answer is not what this request is answered with: \(self)",
            status: 200,
            body: String(decoding: body.prefix(Limits.errorBodyBytes), as: UTF8.self)
        )
    }
}
