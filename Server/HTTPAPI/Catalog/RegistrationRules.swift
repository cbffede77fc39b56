import Model
import Wire

/// What every way into the catalog checks before a command is proposed.
///
/// - Source: Consul: PUT /v1/catalog/register, PUT /v1/txn; texts observed on 1.8.7.
enum RegistrationRules {
    /// Why a node cannot be written, or nil.
    static func flaw(ofNode name: String, id: String) -> String? {
        if name.isEmpty { return "Must provide node" }
        guard !id.isEmpty else { return nil }
        return UUIDText.flaw(of: id).map { "Bad node ID: \($0)" }
    }

    /// Completes a service; gives why it cannot be written, or nil.
    static func complete(_ service: inout CatalogService) -> String? {
        if service.id.isEmpty { service.id = service.name }
        // As the catalog shows them.
        if service.weights == Weights(passing: 0, warning: 0) {
            service.weights = Weights(passing: 1, warning: 1)
        }
        if !service.id.isEmpty, service.name.isEmpty { return "Must provide service name with ID" }
        guard service.kind == .connectProxy else { return nil }
        var flaws: [String] = []
        let destination = service.proxy.destinationServiceName
        if destination.allSatisfy(\.isWhitespace) {
            flaws.append(
                "Proxy.DestinationServiceName must be non-empty for Connect proxy services"
            )
        } else if destination == "*" {
            flaws.append(
                "Proxy.DestinationServiceName must not be a wildcard for Connect proxy services"
            )
        }
        if service.port == 0 { flaws.append("Port must be set for a Connect proxy") }
        if service.connect.native {
            flaws.append("A Proxy cannot also be Connect Native, only typical services")
        }
        return flaws.isEmpty ? nil : list(flaws)
    }

    /// Completes a check of `node`.
    static func complete(_ check: inout HealthCheck, node: String) {
        if check.id.isEmpty { check.id = check.name }
        if check.node.isEmpty { check.node = node }
        if check.type.isEmpty { check.type = type(of: check.definition) }
    }

    /// What kind of check a definition describes, or empty.
    ///
    /// - Source: Consul: the `Type` of GET /v1/health/node/:node.
    private static func type(of definition: HealthCheckDefinition) -> String {
        let isPeriodic = definition.interval > .zero
        if !definition.grpc.isEmpty, isPeriodic { return "grpc" }
        if !definition.http.isEmpty, isPeriodic { return "http" }
        if definition.ttl > .zero { return "ttl" }
        if !definition.tcp.isEmpty, isPeriodic { return "tcp" }
        if !definition.aliasNode.isEmpty || !definition.aliasService.isEmpty { return "alias" }
        guard let arguments = definition.scriptArguments, !arguments.isEmpty, isPeriodic else {
            return ""
        }
        return definition.dockerContainerID.isEmpty ? "script" : "docker"
    }

    /// - Source: Go hashicorp/go-multierror, its standard format.
    private static func list(_ flaws: [String]) -> String {
        let title = flaws.count == 1 ? "1 error occurred:" : "\(flaws.count) errors occurred:"
        return title + flaws.map { "\n\t* \($0)" }.joined() + "\n\n"
    }
}

extension UUIDText {
    /// A random UUID, in lower case.
    ///
    /// - Source: RFC 9562 §5.4.
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        var high = generator.next()
        var low = generator.next()
        high = (high & ~0xF000) | 0x4000
        low = (low & ~(0b11 << 62)) | (0b10 << 62)
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for position in 0..<32 {
            if position == 8 || position == 12 || position == 16 || position == 20 {
                text.append(UInt8(ascii: "-"))
            }
            let word = position < 16 ? high : low
            text.append(digits[Int(word >> UInt64(60 - position % 16 * 4) & 0xF)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
