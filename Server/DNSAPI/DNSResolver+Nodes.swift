import Model
import StateStore

extension DNSResolver {
    /// The address of a node, or the name it stands for and what that leads to.
    mutating func nodeRecords(
        _ node: Node,
        named name: DNSName,
        _ ttlSeconds: UInt32,
        _ request: Request
    ) -> [DNSRecord] {
        let text = nodeAddress(of: node, for: AddressKind(request.question.type))
        if let address = IPAddress(text) {
            return addressRecord(request.question.type, address, name, ttlSeconds)
        }
        guard let target = DNSName(node.address), target != .root else { return [] }
        let alias = DNSRecord(name: name, ttlSeconds: ttlSeconds, data: .cname(target))
        return [alias] + resolveAlias(target, depth: request.depth)
    }

    /// The address as a record, or nothing when the question wants the other kind.
    func addressRecord(
        _ type: DNSType,
        _ address: IPAddress,
        _ name: DNSName,
        _ ttlSeconds: UInt32
    ) -> [DNSRecord] {
        let data = DNSData.address(address)
        let wantsBoth = [.srv, .any, .ns, .txt].contains(type)
        guard wantsBoth || type == data.type else { return [] }
        return [DNSRecord(name: name, ttlSeconds: ttlSeconds, data: data)]
    }

    /// What a name inside the domain leads to; nothing for any other name.
    mutating func resolveAlias(_ target: DNSName, depth: Int) -> [DNSRecord] {
        let name = target.lowercased
        guard depth > 0, zones.contains(where: { name.isBelow($0) }) else { return [] }
        var reply = DNSMessage()
        let request = Request(
            question: DNSQuestion(name: target, type: .any),
            transport: .udp,
            depth: depth - 1
        )
        dispatch(request, into: &reply)
        return reply.answers
    }

    /// The metadata of a node, one string of text for each key, ascending by key.
    ///
    /// - Source: RFC 1464 §2
    /// - Deviation: Consul sends nothing at all when a text has more than 255 bytes; we split it.
    func metadata(_ node: Node, named name: DNSName, _ ttlSeconds: UInt32) -> [DNSRecord] {
        guard let meta = node.meta, !meta.isEmpty else { return [] }
        return meta.sorted { $0.key < $1.key }.map { key, value in
            let isPlain = key.lowercased().hasPrefix("rfc1035-")
            let text = Array((isPlain ? value : attribute(key, value)).utf8)
            let strings = stride(from: 0, to: max(1, text.count), by: 255).map {
                Array(text[$0..<min($0 + 255, text.count)])
            }
            return DNSRecord(name: name, ttlSeconds: ttlSeconds, data: .txt(strings))
        }
    }

    /// `key=value`, with what would be ambiguous in the key behind an accent grave.
    private func attribute(_ key: String, _ value: String) -> String {
        let leading = key.prefix { $0 == " " }.count
        let rest = key.dropFirst(leading)
        let trailing = rest.reversed().prefix { $0 == " " }.count
        var text = String(repeating: "` ", count: leading)
        for character in rest.dropLast(trailing) {
            if character == "`" || character == "=" { text += "`" }
            text.append(character)
        }
        text += String(repeating: "` ", count: trailing)
        text += "="
        for character in value {
            if character == "`" { text += "`" }
            text.append(character)
        }
        return text
    }

    // MARK: Reverse lookups

    /// The name behind an address: of a node, or else of a service.
    ///
    /// O(nodes and instances).
    ///
    /// - Source: Consul: docs/discovery/dns; since 1.2 also for addresses of services
    func pointers(_ question: DNSQuestion) -> [DNSRecord]? {
        guard let address = reverseAddress(question.name.lowercased) else { return nil }
        func pointer(_ text: String) -> [DNSRecord]? {
            DNSName("\(text).\(settings.datacenter)", under: settings.domain).map {
                [DNSRecord(name: question.name, ttlSeconds: 0, data: .ptr($0))]
            }
        }
        for record in store.nodes().value where IPAddress(record.node.address) == address {
            return pointer("\(record.name).node")
        }
        for instance in store.serviceDump().value {
            let text = instance.service.address
            guard !text.isEmpty, IPAddress(text) == address else { continue }
            return pointer("\(instance.service.name).service")
        }
        return nil
    }

    /// The address that a name under `in-addr.arpa` or `ip6.arpa` spells backwards.
    ///
    /// - Source: RFC 1035 §3.5, RFC 3596 §2.5
    private func reverseAddress(_ name: DNSName) -> IPAddress? {
        let labels = name.labels.map { String(decoding: $0, as: UTF8.self) }
        if labels.suffix(2) == ["in-addr", "arpa"] {
            return IPAddress(labels.dropLast(2).reversed().joined(separator: "."))
        }
        guard labels.suffix(2) == ["ip6", "arpa"], labels.count == 34 else { return nil }
        let digits = labels.dropLast(2).reversed().joined()
        guard digits.utf8.count == 32, let high = UInt64(digits.prefix(16), radix: 16),
            let low = UInt64(digits.suffix(16), radix: 16)
        else { return nil }
        return IPAddress(high: high, low: low)
    }
}
