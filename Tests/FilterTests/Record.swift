import Filter

/// A record made of named values.
struct Record: FilterSubject {
    var fields: [String: FilterValue]

    func filterField(_ name: String) -> FilterValue? {
        fields[name]
    }

    /// The service that the recorder registers.
    static var web: Record {
        let weights = Record(fields: ["Passing": .integer(1), "Warning": .integer(1)])
        let address = Record(fields: ["Address": .string("1.2.3.4"), "Port": .integer(5)])
        let expose = Record(fields: ["Checks": .bool(false), "Paths": .list([])])
        let proxy = Record(fields: ["Upstreams": .list([]), "Expose": .structure(expose)])
        return Record(fields: [
            "ServiceName": .string("web"), "ServicePort": .integer(80),
            "ServiceTags": .strings(["a", "b"]), "ServiceMeta": .map(["env": "qa", "n": "5"]),
            "ServiceEnableTagOverride": .bool(false), "ServiceWeights": .structure(weights),
            "ServiceTaggedAddresses": .structures(["lan": address]),
            "ServiceProxy": .structure(proxy),
        ])
    }
}
