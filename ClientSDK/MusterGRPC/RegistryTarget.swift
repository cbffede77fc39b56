#if GRPC
public import GRPCNIOTransportHTTP2Posix
public import MusterAPI
import MusterBalancing
public import MusterDiscovery

/// A service of the registry as a target of gRPC.
public struct RegistryTarget: ResolvableTarget, Hashable, Sendable {
    /// Which instances are wanted.
    public var query: ServiceQuery

    /// Makes a target.
    public init(_ query: ServiceQuery) { self.query = query }
}

extension ResolvableTarget where Self == RegistryTarget {
    /// The instances that a query wants; needs a ``RegistryNameResolverFactory``.
    ///
    /// - Parameter query: Which instances are wanted.
    /// - Returns: The target.
    public static func muster(_ query: ServiceQuery) -> Self { RegistryTarget(query) }

    /// The passing instances of a service; needs a ``RegistryNameResolverFactory``.
    ///
    /// - Parameters:
    ///   - service: The service's name.
    ///   - tags: The tags an instance must have, all of them.
    ///   - datacenters: Where to look, in the order of preference.
    /// - Returns: The target.
    public static func consul(
        _ service: String,
        tags: [String] = [],
        datacenters: [Datacenter] = [.local]
    ) -> Self {
        RegistryTarget(ServiceQuery(service, tags: tags, datacenters: datacenters))
    }
}

/// A target as other languages' gRPC resolvers for Consul write it, taken apart.
///
/// `consul://agent:8500/service?tag=grpc`; without an agent (`consul:///service`) the default one.
public struct RegistryURL: Hashable, Sendable {
    /// The agent; nil is the default one.
    public var agent: RegistryAddress?

    /// The token, when the URL has one.
    public var token: String?

    /// Which instances are wanted.
    public var query: ServiceQuery

    /// Takes a URL apart.
    ///
    /// Parameters: `tag` (several times, or separated by commas), `dc`, `healthy` (`false` takes
    /// instances in any state), `filter`, `token`.
    ///
    /// - Parameter text: The URL, scheme `consul` or `muster`.
    /// - Throws: `MusterError` with code `invalidConfiguration` that says what is wrong.
    /// - Source: mbobakov/grpc-consul-resolver (the form of the URL).
    public init(_ text: String) throws {
        func refuse(_ reason: String) -> MusterError {
            MusterError(
                code: .invalidConfiguration,
                message: "\"\(text)\" is no target of the form "
                    + "consul://agent:8500/service?tag=t: \(reason)"
            )
        }
        guard let scheme = ["consul://", "muster://"].first(where: text.hasPrefix) else {
            throw refuse("the scheme is neither consul nor muster")
        }
        let rest = text.dropFirst(scheme.count)
        let halves = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = halves[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard path.count == 2, !path[1].isEmpty, !path[1].contains("/") else {
            throw refuse("it does not name one service")
        }
        guard let service = Self.decode(path[1]) else { throw refuse("its name is broken") }
        query = ServiceQuery(service)
        if !path[0].isEmpty { agent = try RegistryAddress(String(path[0])) }
        for part in (halves.count > 1 ? halves[1] : "").split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let value = Self.decode(pair[1]) else {
                throw refuse("the parameter \(part) has no value")
            }
            switch (pair[0], value) {
            case ("tag", _):
                query.tags += value.split(separator: ",").map(String.init)
            case ("dc", _): query.datacenters = [Datacenter(value)]
            case ("filter", _): query.filter = value
            case ("token", _): token = value
            case ("healthy", "true"): query.minimumHealth = .passing
            case ("healthy", "false"): query.minimumHealth = .critical
            default: throw refuse("the parameter \(part) is not known")
            }
        }
    }

    /// Replaces percent-encoded bytes; nil when one is broken.
    private static func decode(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
#endif
