import Model
import StateStore

/// Finds the records that answer a question inside the domain.
///
/// - Source: Consul: docs/discovery/dns
struct DNSResolver<Random: RandomNumberGenerator> {
    /// What a question asks for and in what form the answer can go back.
    struct Request {
        var question: DNSQuestion
        /// Nil for a client without EDNS.
        var announcedBytes: Int?
        var transport: DNSTransport
        /// How many more names a chain of CNAME records may have.
        var depth: Int
    }

    /// The datacenter, and the name in front of it, of a question about a service.
    struct ServiceQuestion {
        var name: String
        var tag = ""
        var isMesh = false
        /// As the question has it.
        var datacenter: String
    }

    var store: StateStore
    let settings: DNSSettings
    var serial: UInt32
    /// The zones that are answered for, the longer one first.
    let zones: [DNSName]
    private let authority: StartOfAuthority
    var random: Random
    /// The addresses among which the last answer chose.
    var candidates: [DNSRecord] = []
    /// The pieces of the last answer to a question for SRV records, before it was trimmed.
    var parts: [DNSPart] = []

    init(store: StateStore, settings: DNSSettings, serial: UInt32, random: Random) {
        self.store = store
        self.settings = settings
        self.serial = serial
        self.random = random
        zones = [settings.domain, settings.alternativeDomain]
            .compactMap(\.self)
            .sorted { $0.wire.count > $1.wire.count }
        authority = StartOfAuthority(
            server: DNSName("ns", under: settings.domain) ?? settings.domain,
            mailbox: DNSName("hostmaster", under: settings.domain) ?? settings.domain,
            serial: 0,
            refreshSeconds: wholeSeconds(settings.authority.refresh),
            retrySeconds: wholeSeconds(settings.authority.retry),
            expireSeconds: wholeSeconds(settings.authority.expire),
            minimumSeconds: wholeSeconds(settings.authority.minimum)
        )
    }

    /// Answers a question whose name is inside one of the zones.
    mutating func resolve(
        _ query: DNSMessage,
        _ question: DNSQuestion,
        over transport: DNSTransport,
        into reply: inout DNSMessage
    ) {
        switch question.type {
        case .soa:
            let servers = nameServers()
            reply.answers = [authorityRecord()]
            reply.authorities = servers.names
            reply.additionals = servers.addresses
        case .ns:
            let servers = nameServers()
            reply.answers = servers.names
            reply.additionals = servers.addresses
        case .axfr:
            reply.flags.responseCode = .notImplemented
        default:
            let request = Request(
                question: question,
                announcedBytes: query.options.map { Int($0.classCode) },
                transport: transport,
                depth: DNSLimits.aliasDepth
            )
            dispatch(request, into: &reply)
        }
    }

    /// Finds out what kind of name it is by its labels, from the right.
    mutating func dispatch(_ request: Request, into reply: inout DNSMessage) {
        let labels = labelsBeforeZone(request.question.name.lowercased)
        for index in labels.indices.reversed() {
            let label = labels[index]
            let names = Array(labels[..<index])
            let suffix = Array(labels[(index + 1)...])
            switch label {
            case "service", "connect", "ingress":
                return service(label, names, suffix, request, into: &reply)
            case "node":
                return node(names, suffix, request, into: &reply)
            case "query":
                return notFound(&reply)
            case "addr":
                return address(names, labels, into: &reply)
            default:
                // The label `service` may be left out of SRV names.
                if request.question.type == .srv, label.hasPrefix("_") {
                    return service("service", names + [label], suffix, request, into: &reply)
                }
            }
        }
        notFound(&reply)
    }

    private func labelsBeforeZone(_ name: DNSName) -> [String] {
        let zone = zones.first { name.isBelow($0) }
        guard let zone else { return [] }
        return name.labels(before: zone).map { String(decoding: $0, as: UTF8.self) }
    }

    /// NXDOMAIN with the SOA record that says how long to remember it.
    func notFound(_ reply: inout DNSMessage) {
        reply.flags.responseCode = .nameError
        reply.authorities.append(authorityRecord())
    }

    /// The datacenter that the labels after the kind name; nil when they cannot be one.
    private func datacenter(_ suffix: [String]) -> String? {
        switch suffix.count {
        case 0: settings.datacenter
        case 1: suffix[0]
        default: nil
        }
    }

    func isLocal(_ datacenter: String) -> Bool {
        datacenter.lowercased() == settings.datacenter.lowercased()
    }

    // MARK: Kinds of names

    private mutating func service(
        _ kind: String,
        _ names: [String],
        _ suffix: [String],
        _ request: Request,
        into reply: inout DNSMessage
    ) {
        guard let last = names.last, let datacenter = datacenter(suffix) else {
            return notFound(&reply)
        }
        var wanted = ServiceQuestion(name: last, datacenter: datacenter)
        if kind == "connect" {
            wanted.isMesh = true
        } else if kind == "ingress" {
            // Which gateways serve a service is said by configuration entries; there are none yet.
            return notFound(&reply)
        } else if names.count == 2, names[0].hasPrefix("_"), last.hasPrefix("_") {
            // _service._tag; RFC 2782 calls it the protocol, and `tcp` stands for any.
            wanted.name = String(names[0].dropFirst())
            wanted.tag = last == "_tcp" ? "" : String(last.dropFirst())
        } else {
            wanted.tag = names.dropLast().joined(separator: ".")
        }
        services(wanted, request, into: &reply)
    }

    private mutating func node(
        _ names: [String],
        _ suffix: [String],
        _ request: Request,
        into reply: inout DNSMessage
    ) {
        guard !names.isEmpty, let datacenter = datacenter(suffix) else { return notFound(&reply) }
        let question = request.question
        guard [.any, .a, .aaaa, .txt].contains(question.type) else { return }
        guard isLocal(datacenter), let record = store.node(names.joined(separator: ".")).value
        else { return notFound(&reply) }
        let ttlSeconds = wholeSeconds(settings.nodeTTL)
        if question.type != .txt {
            reply.answers += nodeRecords(record.node, named: question.name, ttlSeconds, request)
        }
        if question.type == .txt || question.type == .any {
            reply.answers += metadata(record.node, named: question.name, ttlSeconds)
        } else if settings.sendsNodeMetadata {
            reply.additionals += metadata(record.node, named: question.name, ttlSeconds)
        }
    }

    /// `<hexadecimal address>.addr`: an answer that the question itself contains.
    private func address(_ names: [String], _ labels: [String], into reply: inout DNSMessage) {
        guard names.count == 1 else { return notFound(&reply) }
        let digits = Array(names[0].utf8)
        guard digits.count / 2 == 4 || digits.count / 2 == 16 else { return }
        let isHexadecimal = digits.allSatisfy {
            ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66)
        }
        guard digits.count % 2 == 0, isHexadecimal,
            let name = DNSName(labels.joined(separator: "."), under: settings.domain)
        else { return notFound(&reply) }
        let halves = [names[0].prefix(16), names[0].dropFirst(16)]
        let words = halves.map { UInt64($0, radix: 16) ?? 0 }
        let address: IPAddress =
            digits.count == 8
            ? .v4(UInt32(truncatingIfNeeded: words[0])) : .v6(high: words[0], low: words[1])
        let ttlSeconds = wholeSeconds(settings.nodeTTL)
        reply.answers.append(
            DNSRecord(name: name, ttlSeconds: ttlSeconds, data: .address(address))
        )
    }

    // MARK: The zone itself

    /// The SOA record of the zone.
    func authorityRecord() -> DNSRecord {
        var authority = authority
        authority.serial = serial
        return DNSRecord(
            name: settings.domain,
            ttlSeconds: authority.minimumSeconds,
            data: .soa(authority)
        )
    }

    /// The servers of the registry and their addresses.
    mutating func nameServers() -> (names: [DNSRecord], addresses: [DNSRecord]) {
        var names: [DNSRecord] = []
        var addresses: [DNSRecord] = []
        let ttlSeconds = wholeSeconds(settings.nodeTTL)
        for instance in healthyInstances("consul").shuffled(using: &random) {
            let node = instance.node.node
            let isPlain = node.name.utf8.allSatisfy { byte in
                byte == 0x2D || (byte >= 0x30 && byte <= 0x39)
                    || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
            }
            let text = "\(node.name).node.\(settings.datacenter)".lowercased()
            guard isPlain, let name = DNSName(text, under: settings.domain) else { continue }
            names.append(
                DNSRecord(name: settings.domain, ttlSeconds: ttlSeconds, data: .ns(name))
            )
            let request = Request(
                question: DNSQuestion(name: name, type: .any),
                transport: .udp,
                depth: DNSLimits.aliasDepth
            )
            addresses += nodeRecords(node, named: name, ttlSeconds, request)
            if names.count == DNSLimits.nameServers { break }
        }
        return (names, addresses)
    }
}
