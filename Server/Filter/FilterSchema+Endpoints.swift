extension FilterSchema {
    /// The records of `/v1/catalog/nodes`.
    ///
    /// - Source: Consul: GET /v1/catalog/nodes
    package static let node = FilterSchema.structure(nodeFields)

    /// The records of `/v1/catalog/service` and `/v1/catalog/connect`.
    ///
    /// - Source: Consul: GET /v1/catalog/service/:service
    package static let catalogService = FilterSchema.structure([
        "ID": .string, "Node": .string, "Address": .string, "Datacenter": .string,
        "TaggedAddresses": .map, "NodeMeta": .map,
        "ServiceKind": .string, "ServiceID": .string, "ServiceName": .string,
        "ServiceTags": .strings, "ServiceAddress": .string,
        "ServiceTaggedAddresses": .structures(serviceAddressFields),
        "ServiceWeights": .structure(weightFields),
        "ServiceMeta": .map, "ServicePort": .integer, "ServiceEnableTagOverride": .bool,
        "ServiceProxy": .structure(proxyFields),
        "ServiceConnect": .structure(connectFields),
    ])

    /// The services of an agent, of a node in the catalog, and of a node in the UI.
    ///
    /// - Source: Consul: GET /v1/agent/services, GET /v1/catalog/node/:node
    package static let nodeService = FilterSchema.structure(serviceFields)

    /// The records of every list of checks.
    ///
    /// - Source: Consul: GET /v1/health/state/:state, GET /v1/agent/checks
    package static let healthCheck = FilterSchema.structure(checkFields)

    /// The records of `/v1/health/service`, `/connect`, `/ingress` and `/v1/internal/ui/services`.
    ///
    /// - Source: Consul: GET /v1/health/service/:service
    package static let healthService = FilterSchema.structure([
        "Node": .structure(nodeFields), "Service": .structure(serviceFields),
        "Checks": .list(checkFields),
    ])

    /// The records of `/v1/internal/ui/nodes`.
    package static let nodeDump = FilterSchema.structure([
        "ID": .string, "Node": .string, "Address": .string, "TaggedAddresses": .map,
        "Meta": .map, "Services": .list(serviceFields), "Checks": .list(checkFields),
    ])

    /// The records of `/v1/connect/intentions`.
    ///
    /// - Source: Consul: GET /v1/connect/intentions
    package static let intention = FilterSchema.structure([
        "ID": .string, "Description": .string, "SourceNS": .string, "SourceName": .string,
        "DestinationNS": .string, "DestinationName": .string, "SourceType": .string,
        "Action": .string, "DefaultAddr": .string, "DefaultPort": .integer, "Meta": .map,
        "Precedence": .integer,
    ])

    private static let nodeFields: [String: FilterSchema] = [
        "ID": .string, "Node": .string, "Address": .string, "Datacenter": .string,
        "TaggedAddresses": .map, "Meta": .map,
    ]

    private static let serviceFields: [String: FilterSchema] = [
        "Kind": .string, "ID": .string, "Service": .string, "Tags": .strings,
        "Address": .string, "TaggedAddresses": .structures(serviceAddressFields),
        "Meta": .map, "Port": .integer, "Weights": .structure(weightFields),
        "EnableTagOverride": .bool, "Proxy": .structure(proxyFields),
        "Connect": .structure(connectFields),
    ]

    private static let checkFields: [String: FilterSchema] = [
        "Node": .string, "CheckID": .string, "Name": .string, "Status": .string,
        "Notes": .string, "Output": .string, "ServiceID": .string, "ServiceName": .string,
        "ServiceTags": .strings, "Type": .string,
    ]

    private static let serviceAddressFields: [String: FilterSchema] = [
        "Address": .string, "Port": .integer,
    ]

    private static let weightFields: [String: FilterSchema] = [
        "Passing": .integer, "Warning": .integer,
    ]

    private static let connectFields: [String: FilterSchema] = ["Native": .bool]

    private static let gatewayFields: [String: FilterSchema] = ["Mode": .string]

    private static let proxyFields: [String: FilterSchema] = [
        "DestinationServiceName": .string, "DestinationServiceID": .string,
        "LocalServiceAddress": .string, "LocalServicePort": .integer,
        "Upstreams": .list([
            "DestinationType": .string, "DestinationNamespace": .string,
            "DestinationName": .string, "Datacenter": .string, "LocalBindAddress": .string,
            "LocalBindPort": .integer, "MeshGateway": .structure(gatewayFields),
        ]),
        "MeshGateway": .structure(gatewayFields),
        "Expose": .structure([
            "Checks": .bool,
            "Paths": .list([
                "ListenerPort": .integer, "Path": .string, "LocalPathPort": .integer,
                "Protocol": .string, "ParsedFromCheck": .bool,
            ]),
        ]),
    ]
}
