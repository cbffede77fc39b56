import Filter
import Model

extension CatalogService {
    /// The tagged addresses, as filters see them.
    var taggedAddressSubjects: [String: any FilterSubject] {
        (taggedAddresses ?? [:]).mapValues { AddressSubject(address: $0) }
    }
}

struct AddressSubject: FilterSubject {
    let address: ServiceAddress

    func filterField(_ name: String) -> FilterValue? {
        switch name {
        case "Address": .string(address.address)
        case "Port": .integer(Int64(address.port))
        default: nil
        }
    }
}

struct WeightsSubject: FilterSubject {
    let weights: Weights

    func filterField(_ name: String) -> FilterValue? {
        switch name {
        case "Passing": .integer(Int64(weights.passing))
        case "Warning": .integer(Int64(weights.warning))
        default: nil
        }
    }
}

struct ConnectSubject: FilterSubject {
    let connect: ServiceConnect

    func filterField(_ name: String) -> FilterValue? {
        name == "Native" ? .bool(connect.native) : nil
    }
}

struct ProxySubject: FilterSubject {
    let proxy: ProxyConfiguration

    func filterField(_ name: String) -> FilterValue? {
        switch name {
        case "DestinationServiceName": .string(proxy.destinationServiceName)
        case "DestinationServiceID": .string(proxy.destinationServiceID)
        case "LocalServiceAddress": .string(proxy.localServiceAddress)
        case "LocalServicePort": .integer(Int64(proxy.localServicePort))
        case "Upstreams": .list((proxy.upstreams ?? []).map { UpstreamSubject(upstream: $0) })
        case "MeshGateway": .structure(GatewaySubject(mode: proxy.meshGatewayMode))
        case "Expose": .structure(ExposeSubject(expose: proxy.expose))
        default: nil
        }
    }
}

struct GatewaySubject: FilterSubject {
    let mode: String

    func filterField(_ name: String) -> FilterValue? {
        name == "Mode" ? .string(mode) : nil
    }
}

struct UpstreamSubject: FilterSubject {
    let upstream: Upstream

    func filterField(_ name: String) -> FilterValue? {
        switch name {
        case "DestinationType": .string(upstream.destinationType)
        case "DestinationNamespace": .string(upstream.destinationNamespace)
        case "DestinationName": .string(upstream.destinationName)
        case "Datacenter": .string(upstream.datacenter)
        case "LocalBindAddress": .string(upstream.localBindAddress)
        case "LocalBindPort": .integer(Int64(upstream.localBindPort))
        case "MeshGateway": .structure(GatewaySubject(mode: upstream.meshGatewayMode))
        default: nil
        }
    }
}

struct ExposeSubject: FilterSubject {
    let expose: ExposeConfiguration

    func filterField(_ name: String) -> FilterValue? {
        switch name {
        case "Checks": .bool(expose.checks)
        case "Paths": .list((expose.paths ?? []).map { ExposePathSubject(path: $0) })
        default: nil
        }
    }
}

struct ExposePathSubject: FilterSubject {
    let path: ExposePath

    func filterField(_ name: String) -> FilterValue? {
        switch name {
        case "ListenerPort": .integer(Int64(path.listenerPort))
        case "Path": .string(path.path)
        case "LocalPathPort": .integer(Int64(path.localPathPort))
        case "Protocol": .string(path.protocolName)
        case "ParsedFromCheck": .bool(path.parsedFromCheck)
        default: nil
        }
    }
}
