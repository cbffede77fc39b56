package import StateStore

/// How a query came in.
package enum DNSTransport: Sendable, Equatable {
    case udp
    case tcp
}

/// Answers DNS messages from one snapshot of the registry.
///
/// A pure function of its inputs: the bytes of a query, the snapshot, the settings, the time in the
/// SOA record, and a source of random numbers for the order of records.
///
/// - Source: Consul: docs/discovery/dns; miekg/dns for what is refused before a handler sees it
package struct DNSResponder<Random: RandomNumberGenerator> {
    private let settings: DNSSettings
    private var resolver: DNSResolver<Random>

    /// Makes a responder; `serial` is the serial number of the zone, seconds since 1970.
    package init(store: StateStore, settings: DNSSettings, serial: UInt32, random: Random) {
        self.settings = settings
        resolver = DNSResolver(store: store, settings: settings, serial: serial, random: random)
    }

    /// The snapshot that is answered from.
    var store: StateStore {
        get { resolver.store }
        set { resolver.store = newValue }
    }

    /// The serial number of the zone.
    var serial: UInt32 {
        get { resolver.serial }
        set { resolver.serial = newValue }
    }

    /// The addresses among which the last answer chose; empty when it did not choose.
    var candidates: [DNSRecord] { resolver.candidates }

    /// The pieces of the last answer before it was trimmed; empty unless it was about SRV records.
    var parts: [DNSPart] { resolver.parts }

    /// The answer to a query, or nil when it deserves none.
    package mutating func respond(to bytes: [UInt8], over transport: DNSTransport) -> [UInt8]? {
        reply(to: bytes, over: transport).map {
            DNSEncoder.encode($0, compresses: !settings.disableCompression)
        }
    }

    /// The answer before it is encoded.
    package mutating func reply(to bytes: [UInt8], over transport: DNSTransport) -> DNSMessage? {
        resolver.candidates = []
        resolver.parts = []
        guard let header = try? DNSDecoder.header(bytes) else {
            // An answer to rubbish would only help whoever forges addresses.
            return nil
        }
        guard !header.flags.has(DNSFlags.response) else { return nil }
        let opcode = header.flags.opcode
        guard opcode == 0 || opcode == 4 else {
            return refusal(header, .notImplemented, keepsOpcode: true)
        }
        guard header.questions == 1, header.answers <= 1, header.authorities <= 1,
            header.additionals <= 2
        else { return refusal(header, .formatError) }
        var query = DNSMessage()
        do {
            try DNSDecoder.decode(bytes, into: &query)
        } catch {
            var reply = refusal(header, .formatError)
            reply.questions = query.questions
            return reply
        }
        return answer(query, over: transport)
    }

    /// The reply to a query that cannot be answered now; nil when it deserves none.
    ///
    /// - Source: Consul: what its DNS server answers without a leader, when `allow_stale` is off.
    func serverFailure(to bytes: [UInt8]) -> DNSMessage? {
        guard let header = try? DNSDecoder.header(bytes),  // Rubbish gets no answer.
            !header.flags.has(DNSFlags.response)
        else { return nil }
        var query = DNSMessage()
        // The questions that could be read are enough.
        try? DNSDecoder.decode(bytes, into: &query)
        var reply = refusal(header, .serverFailure)
        reply.questions = query.questions
        return reply
    }

    /// A reply that says only what is wrong with the query.
    private func refusal(
        _ header: DNSDecoder.Header,
        _ code: DNSResponseCode,
        keepsOpcode: Bool = false
    ) -> DNSMessage {
        var reply = DNSMessage()
        reply.id = header.id
        let dropped = DNSFlags.authoritative | (keepsOpcode ? 0 : DNSFlags.operation)
        // Bit 6 is reserved and always zero.
        reply.flags.bits = header.flags.bits & ~dropped & ~0x0040 | DNSFlags.response
        reply.flags.responseCode = code
        return reply
    }

    private mutating func answer(_ query: DNSMessage, over transport: DNSTransport) -> DNSMessage {
        var reply = DNSMessage()
        reply.id = query.id
        reply.flags.bits = query.flags.bits & DNSFlags.operation | DNSFlags.response
        if query.flags.opcode == 0 {
            let copied = DNSFlags.recursionDesired | DNSFlags.checkingDisabled
            reply.flags.insert(query.flags.bits & copied)
        }
        reply.questions = query.questions
        guard let question = query.questions.first else {
            reply.flags.responseCode = .refused
            return reply
        }
        let name = question.name.lowercased
        if resolver.zones.contains(where: { name.isInside($0) }) {
            reply.flags.insert(DNSFlags.authoritative)
            resolver.resolve(query, question, over: transport, into: &reply)
        } else if name.isInside(arpa) {
            if let records = resolver.pointers(question) {
                reply.flags.insert(DNSFlags.authoritative)
                reply.answers = records
                if question.type == .soa { reply.authorities = [resolver.authorityRecord()] }
            } else {
                // There is nobody to ask further.
                reply.flags.insert(DNSFlags.recursionAvailable)
                reply.flags.responseCode = .serverFailure
            }
        } else {
            reply.flags.responseCode = .refused
            return reply
        }
        if let options = query.options {
            reply.additionals.append(optionsRecord(answering: options))
        }
        return reply
    }

    /// The OPT record of the answer: the size the client announced, and its subnet.
    ///
    /// - Source: RFC 6891 §6.1, RFC 7871 §7.2.1
    private func optionsRecord(answering query: DNSRecord) -> DNSRecord {
        var options: [UInt8] = []
        if case .opt(let bytes) = query.data {
            for option in EDNSOptions(bytes[...]) where option.code == ClientSubnet.code {
                // Nothing depends on where a client is, so the answer is valid everywhere.
                options = ClientSubnet(option.data)?.answer(isGlobal: true) ?? []
                break
            }
        }
        return DNSRecord(
            name: .root,
            type: .opt,
            classCode: query.classCode,
            ttlSeconds: 0,
            data: .opt(options)
        )
    }
}

/// The zone of reverse lookups.
private let arpa = DNSName(unchecked: [4] + Array("arpa".utf8) + [0])
