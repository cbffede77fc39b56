import Model
import StateStore

extension DNSResolver {
    /// The instances that may be sent to clients.
    func healthyInstances(
        _ name: String,
        tag: String = "",
        isMesh: Bool = false
    ) -> [ServiceInstance] {
        let tags = tag.isEmpty ? [] : [tag]
        let instances = store.serviceInstances(name, tags: tags, connect: isMesh).value
        return instances.filter { instance in
            instance.allChecks { check in
                check.status == .passing
                    || (check.status != .critical && !settings.onlyPassing)
            }
        }
    }

    mutating func services(
        _ wanted: ServiceQuestion,
        _ request: Request,
        into reply: inout DNSMessage
    ) {
        guard isLocal(wanted.datacenter) else { return notFound(&reply) }
        var instances = healthyInstances(wanted.name, tag: wanted.tag, isMesh: wanted.isMesh)
        guard !instances.isEmpty else { return notFound(&reply) }
        instances.shuffle(using: &random)
        let ttlSeconds = settings.ttlSeconds(ofService: wanted.name)
        if request.question.type == .srv {
            locations(of: instances, wanted, request, ttlSeconds, into: &reply)
        } else {
            addresses(of: instances, wanted, request, ttlSeconds, into: &reply)
        }
        trim(&reply, for: request)
        if reply.answers.isEmpty, !reply.flags.has(DNSFlags.truncated) {
            reply.authorities.append(authorityRecord())
        }
    }

    private mutating func addresses(
        of instances: [ServiceInstance],
        _ wanted: ServiceQuestion,
        _ request: Request,
        _ ttlSeconds: UInt32,
        into reply: inout DNSMessage
    ) {
        var seen: Set<DNSRecord> = []
        var alias: [DNSRecord] = []
        var found: [DNSRecord] = []
        for instance in instances {
            let records = contribution(of: instance, wanted, request, ttlSeconds).answers
            guard let first = records.first, seen.insert(first).inserted else { continue }
            if case .cname = first.data {
                // Only one name may be an alias, and only when there are no addresses.
                if alias.isEmpty { alias = records }
                continue
            }
            found += records
        }
        let limit = settings.addressLimit > 0 ? settings.addressLimit : found.count
        reply.answers = found.isEmpty ? alias : Array(found.prefix(limit))
        candidates = found
    }

    private mutating func locations(
        of instances: [ServiceInstance],
        _ wanted: ServiceQuestion,
        _ request: Request,
        _ ttlSeconds: UInt32,
        into reply: inout DNSMessage
    ) {
        var seen: Set<Place> = []
        parts = []
        for instance in instances {
            let place = Place(
                node: instance.node.name,
                address: serviceAddress(of: instance, for: .any),
                port: instance.service.port
            )
            guard seen.insert(place).inserted else { continue }
            var part = contribution(of: instance, wanted, request, ttlSeconds)
            if settings.sendsNodeMetadata, let name = nodeName(instance, wanted.datacenter) {
                part.additionals += metadata(instance.node.node, named: name, ttlSeconds)
            }
            reply.answers += part.answers
            reply.additionals += part.additionals
            parts.append(part)
        }
    }

    private func nodeName(_ instance: ServiceInstance, _ datacenter: String) -> DNSName? {
        DNSName("\(instance.node.name).node.\(datacenter)", under: settings.domain)
    }

    // MARK: Addresses

    /// The kind of addresses that a question wants.
    enum AddressKind {
        case v4, v6, any

        init(_ type: DNSType) {
            switch type {
            case .a: self = .v4
            case .aaaa: self = .v6
            default: self = .any
            }
        }
    }

    /// Chooses among an address and its tagged forms; an address of the wrong kind comes to nothing
    /// later.
    ///
    /// - Source: Consul 1.8.7: where any kind will do, the tagged IPv6 address wins
    func choose(_ kind: AddressKind, _ address: String, v4: String, v6: String) -> String {
        if kind != .v4, !v6.isEmpty { return v6 }
        if kind != .v6, !v4.isEmpty { return v4 }
        return address
    }

    func nodeAddress(of node: Node, for kind: AddressKind) -> String {
        choose(
            kind,
            node.address,
            v4: node.taggedAddresses?["lan_ipv4"] ?? "",
            v6: node.taggedAddresses?["lan_ipv6"] ?? ""
        )
    }

    private func serviceAddress(of instance: ServiceInstance, for kind: AddressKind) -> String {
        let tagged = taggedAddresses(of: instance.service)
        return choose(
            kind,
            instance.service.address,
            v4: tagged?["lan_ipv4"]?.address ?? "",
            v6: tagged?["lan_ipv6"]?.address ?? ""
        )
    }

    /// Decodes the service only when the text has what is looked for: decoding costs microseconds.
    private func taggedAddresses(of service: ServiceRecord) -> [String: ServiceAddress]? {
        let mentionsThem = service.withJSON { json in
            let wanted: StaticString = "\"lan_ipv"
            let count = wanted.utf8CodeUnitCount
            var start = 0
            while start + count <= json.count {
                if json[start] == wanted.utf8Start[0],
                    (1..<count).allSatisfy({ json[start + $0] == wanted.utf8Start[$0] })
                {
                    return true
                }
                start += 1
            }
            return false
        }
        return mentionsThem ? service.service.taggedAddresses : nil
    }

    // MARK: Records

    private mutating func contribution(
        of instance: ServiceInstance,
        _ wanted: ServiceQuestion,
        _ request: Request,
        _ ttlSeconds: UInt32
    ) -> DNSPart {
        let kind = AddressKind(request.question.type)
        let node = instance.node.node
        let own = serviceAddress(of: instance, for: kind)
        let ofNode = nodeAddress(of: node, for: kind)
        let nodeIP = IPAddress(ofNode)
        let text: String
        if own.isEmpty {
            guard !ofNode.isEmpty else { return DNSPart(answers: []) }
            if let nodeIP {
                let name =
                    ofNode == node.address
                    ? nodeName(instance, wanted.datacenter) : addressName(nodeIP, wanted)
                return records(of: instance, at: nodeIP, named: name, request, ttlSeconds)
            }
            text = ofNode
        } else if let address = IPAddress(own) {
            let name = addressName(address, wanted)
            return records(of: instance, at: address, named: name, request, ttlSeconds)
        } else if let nodeIP, DNSName(own) == request.question.name {
            // A service that gives its own DNS name as its address means its node.
            let name = nodeName(instance, wanted.datacenter)
            return records(of: instance, at: nodeIP, named: name, request, ttlSeconds)
        } else {
            text = own
        }
        guard let target = DNSName(text) else { return DNSPart(answers: []) }
        return records(of: instance, aliasing: target, request, ttlSeconds)
    }

    /// The name that spells an address: `<hexadecimal address>.addr.<datacenter>`.
    private func addressName(_ address: IPAddress, _ wanted: ServiceQuestion) -> DNSName? {
        DNSName("\(address.hexadecimal).addr.\(wanted.datacenter)", under: settings.domain)
    }

    private func records(
        of instance: ServiceInstance,
        at address: IPAddress,
        named name: DNSName?,
        _ request: Request,
        _ ttlSeconds: UInt32
    ) -> DNSPart {
        let question = request.question
        guard question.type == .srv else {
            let answers = addressRecord(question.type, address, question.name, ttlSeconds)
            return DNSPart(answers: answers)
        }
        guard let name else { return DNSPart(answers: []) }
        return DNSPart(
            answers: [location(of: instance, target: name, request, ttlSeconds)],
            additionals: [
                DNSRecord(name: name, ttlSeconds: ttlSeconds, data: .address(address))
            ]
        )
    }

    private mutating func records(
        of instance: ServiceInstance,
        aliasing target: DNSName,
        _ request: Request,
        _ ttlSeconds: UInt32
    ) -> DNSPart {
        var more: [DNSRecord] = []
        for var record in resolveAlias(target, depth: request.depth)
        where [.cname, .a, .aaaa].contains(record.type) {
            record.ttlSeconds = ttlSeconds
            more.append(record)
            if more.count == DNSLimits.aliasRecords, request.announcedBytes == nil { break }
        }
        guard request.question.type == .srv else {
            let alias = DNSRecord(
                name: request.question.name,
                ttlSeconds: ttlSeconds,
                data: .cname(target)
            )
            return DNSPart(answers: [alias] + more)
        }
        return DNSPart(
            answers: [location(of: instance, target: target, request, ttlSeconds)],
            additionals: more
        )
    }

    private func location(
        of instance: ServiceInstance,
        target: DNSName,
        _ request: Request,
        _ ttlSeconds: UInt32
    ) -> DNSRecord {
        let weights = instance.service.weights
        let weight = instance.worstStatus == .warning ? weights.warning : weights.passing
        return DNSRecord(
            name: request.question.name,
            ttlSeconds: ttlSeconds,
            data: .srv(
                priority: 1,
                weight: UInt16(truncatingIfNeeded: weight),
                port: UInt16(truncatingIfNeeded: instance.service.port),
                target: target
            )
        )
    }
}

/// What makes an instance one more place to go to.
private struct Place: Hashable {
    var node: String
    var address: String
    var port: Int
}
