extension HealthReader {
    /// Takes an entry with everything it holds.
    mutating func entry() throws(JSONFault) -> ServiceEntry {
        var entry = ServiceEntry()
        try scanner.openObject()
        var isFirst = true
        var expected = 0
        while let key = try scanner.nextKey(&isFirst) {
            switch entryKeys.place(of: key, scanner, expected: &expected) {
            case 0: entry.node = try node()
            case 1: entry.service = try service()
            case 2: entry.checks = try checks()
            default: try scanner.skip()
            }
        }
        return entry
    }

    private mutating func node() throws(JSONFault) -> CatalogNode {
        var node = CatalogNode(node: "", address: "")
        if try scanner.takeNull() { return node }
        try scanner.openObject()
        var isFirst = true
        var expected = 0
        while let key = try scanner.nextKey(&isFirst) {
            switch nodeKeys.place(of: key, scanner, expected: &expected) {
            case 0: node.id = try name() ?? ""
            case 1: node.node = try name() ?? ""
            case 2: node.address = try name() ?? ""
            case 3: node.datacenter = try name() ?? ""
            case 4: node.taggedAddresses = try meta()
            case 5: node.meta = try meta()
            case 6: node.createIndex = try index()
            case 7: node.modifyIndex = try index()
            default: try scanner.skip()
            }
        }
        return node
    }

    private mutating func service() throws(JSONFault) -> AgentService {
        var service = AgentService()
        if try scanner.takeNull() { return service }
        try scanner.openObject()
        var isFirst = true
        var expected = 0
        while let key = try scanner.nextKey(&isFirst) {
            switch serviceKeys.place(of: key, scanner, expected: &expected) {
            case 0: service.id = try scanner.optionalString() ?? ""
            case 1: service.name = try name() ?? ""
            case 2: service.tags = try tags()
            case 3: service.address = try name() ?? ""
            case 4: service.taggedAddresses = try taggedAddresses()
            case 5: service.meta = try meta()
            case 6: service.port = try scanner.optionalInteger(Int.self) ?? 0
            case 7: service.weights = try weights()
            case 8: service.enableTagOverride = try scanner.optionalBool() ?? false
            case 9: service.proxy = try scanner.optionalValue()
            case 10: service.connect = try scanner.optionalValue()
            case 11: service.createIndex = try index()
            case 12: service.modifyIndex = try index()
            case 13: service.kind = try name() ?? ""
            case 14: service.contentHash = try scanner.optionalString()
            case 15: service.datacenter = try name()
            default: try scanner.skip()
            }
        }
        return service
    }

    private mutating func taggedAddresses() throws(JSONFault) -> [String: ServiceAddress] {
        if try scanner.takeNull() { return [:] }
        try scanner.openObject()
        var addresses: [String: ServiceAddress] = [:]
        var isFirst = true
        while let key = try scanner.nextKey(&isFirst) {
            addresses[scanner.string(key)] = try serviceAddress()
        }
        return addresses
    }

    private mutating func serviceAddress() throws(JSONFault) -> ServiceAddress {
        var address = ServiceAddress()
        try scanner.openObject()
        var isFirst = true
        while let key = try scanner.nextKey(&isFirst) {
            if scanner.matches(key, "Address") {
                address.address = try name() ?? ""
            } else if scanner.matches(key, "Port") {
                address.port = try scanner.optionalInteger(Int.self) ?? 0
            } else {
                try scanner.skip()
            }
        }
        return address
    }

    private mutating func checks() throws(JSONFault) -> [HealthCheck] {
        if try scanner.takeNull() { return [] }
        try scanner.openArray()
        var checks: [HealthCheck] = []
        var isFirst = true
        while try scanner.nextElement(&isFirst) { checks.append(try check()) }
        return checks
    }

    private mutating func check() throws(JSONFault) -> HealthCheck {
        var check = HealthCheck()
        try scanner.openObject()
        var isFirst = true
        var expected = 0
        while let key = try scanner.nextKey(&isFirst) {
            switch checkKeys.place(of: key, scanner, expected: &expected) {
            case 0: check.node = try name() ?? ""
            case 1: check.checkID = try name() ?? ""
            case 2: check.name = try name() ?? ""
            case 3: check.status = try name().map(CheckStatus.init) ?? .critical
            case 4: check.notes = try name() ?? ""
            case 5: check.output = try name() ?? ""
            case 6: check.serviceID = try name() ?? ""
            case 7: check.serviceName = try name() ?? ""
            case 8: check.serviceTags = try tags()
            case 9: check.type = try name() ?? ""
            case 10: check.definition = try scanner.optionalValue()
            case 11: check.createIndex = try index()
            case 12: check.modifyIndex = try index()
            default: try scanner.skip()
            }
        }
        return check
    }

    /// Takes an index; 0 for `null`.
    private mutating func index() throws(JSONFault) -> UInt64 {
        try scanner.optionalInteger(UInt64.self) ?? 0
    }
}
