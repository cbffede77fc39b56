/// Why bytes are not a DNS message.
package enum DNSDecodingError: Error, Equatable {
    /// Fewer bytes than a header has: not worth an answer.
    case noHeader
    /// Something after the header is cut off or contradicts itself.
    case malformed
}

/// Reads DNS messages, being as lenient with counts that promise too much as Consul is.
///
/// - Source: RFC 1035 §4; Consul answers a query whose sections end early but cleanly
package struct DNSDecoder {
    /// The counts in the header, in its order.
    package struct Header: Equatable {
        package var id: UInt16
        package var flags: DNSFlags
        package var questions: Int
        package var answers: Int
        package var authorities: Int
        package var additionals: Int
    }

    private let bytes: [UInt8]
    private var offset = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads only the header.
    package static func header(_ bytes: [UInt8]) throws(DNSDecodingError) -> Header {
        var decoder = DNSDecoder(bytes)
        guard bytes.count >= 12 else { throw .noHeader }
        return Header(
            id: try decoder.word(),
            flags: DNSFlags(bits: try decoder.word()),
            questions: Int(try decoder.word()),
            answers: Int(try decoder.word()),
            authorities: Int(try decoder.word()),
            additionals: Int(try decoder.word())
        )
    }

    package static func decode(_ bytes: [UInt8]) throws(DNSDecodingError) -> DNSMessage {
        var message = DNSMessage()
        try decode(bytes, into: &message)
        return message
    }

    /// Reads a message; what came before an error stays in `message`.
    static func decode(
        _ bytes: [UInt8],
        into message: inout DNSMessage
    ) throws(DNSDecodingError) {
        let header = try header(bytes)
        var decoder = DNSDecoder(bytes)
        decoder.offset = 12
        message.id = header.id
        message.flags = header.flags
        for _ in 0..<header.questions where !decoder.isAtEnd {
            message.questions.append(try decoder.question())
        }
        message.answers = try decoder.records(header.answers)
        message.authorities = try decoder.records(header.authorities)
        message.additionals = try decoder.records(header.additionals)
    }

    private var isAtEnd: Bool { offset == bytes.count }

    private mutating func word() throws(DNSDecodingError) -> UInt16 {
        guard bytes.count - offset >= 2 else { throw .malformed }
        defer { offset += 2 }
        return UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    }

    private mutating func doubleWord() throws(DNSDecodingError) -> UInt32 {
        UInt32(try word()) << 16 | UInt32(try word())
    }

    /// A question; one that ends after its name or type counts as having zeros there.
    private mutating func question() throws(DNSDecodingError) -> DNSQuestion {
        let name = try name()
        var question = DNSQuestion(name: name, type: DNSType(rawValue: 0), classCode: 0)
        guard !isAtEnd else { return question }
        question.type = DNSType(rawValue: try word())
        guard bytes.count - offset >= 2 else {
            offset = bytes.count
            return question
        }
        question.classCode = try word()
        return question
    }

    private mutating func records(_ count: Int) throws(DNSDecodingError) -> [DNSRecord] {
        var records: [DNSRecord] = []
        for _ in 0..<count {
            guard !isAtEnd else { break }
            records.append(try record())
        }
        return records
    }

    private mutating func record() throws(DNSDecodingError) -> DNSRecord {
        let name = try name()
        let type = DNSType(rawValue: try word())
        let classCode = try word()
        let ttlSeconds = try doubleWord()
        let length = Int(try word())
        guard bytes.count - offset >= length else { throw .malformed }
        let end = offset + length
        let data = try data(of: type, until: end)
        guard offset == end else { throw .malformed }
        return DNSRecord(
            name: name,
            type: type,
            classCode: classCode,
            ttlSeconds: ttlSeconds,
            data: data
        )
    }

    private mutating func data(
        of type: DNSType,
        until end: Int
    ) throws(DNSDecodingError) -> DNSData {
        // Records without data occur in dynamic updates.
        guard end > offset else { return type == .opt ? .opt([]) : .other(type, []) }
        switch type {
        case .a where end - offset == 4:
            return .address(.v4(try doubleWord()))
        case .aaaa where end - offset == 16:
            let high = UInt64(try doubleWord()) << 32 | UInt64(try doubleWord())
            let low = UInt64(try doubleWord()) << 32 | UInt64(try doubleWord())
            return .address(.v6(high: high, low: low))
        case .a, .aaaa: throw .malformed
        case .ns: return .ns(try name())
        case .cname: return .cname(try name())
        case .ptr: return .ptr(try name())
        case .soa: return .soa(try startOfAuthority())
        case .srv:
            return .srv(
                priority: try word(),
                weight: try word(),
                port: try word(),
                target: try name()
            )
        case .txt: return .txt(try strings(until: end))
        case .opt:
            try checkOptions(until: end)
            defer { offset = end }
            return .opt(Array(bytes[offset..<end]))
        default:
            defer { offset = end }
            return .other(type, Array(bytes[offset..<end]))
        }
    }

    private mutating func startOfAuthority() throws(DNSDecodingError) -> StartOfAuthority {
        StartOfAuthority(
            server: try name(),
            mailbox: try name(),
            serial: try doubleWord(),
            refreshSeconds: try doubleWord(),
            retrySeconds: try doubleWord(),
            expireSeconds: try doubleWord(),
            minimumSeconds: try doubleWord()
        )
    }

    private mutating func strings(until end: Int) throws(DNSDecodingError) -> [[UInt8]] {
        var strings: [[UInt8]] = []
        while offset < end {
            let next = offset + 1 + Int(bytes[offset])
            guard next <= end else { throw .malformed }
            strings.append(Array(bytes[offset + 1..<next]))
            offset = next
        }
        return strings
    }

    /// Refuses options whose lengths do not add up.
    private func checkOptions(until end: Int) throws(DNSDecodingError) {
        for option in EDNSOptions(bytes[offset..<end]) where option.isMalformed {
            throw .malformed
        }
    }

    /// A name, following pointers to names before it.
    ///
    /// - Source: RFC 1035 §4.1.4
    private mutating func name() throws(DNSDecodingError) -> DNSName {
        var wire: [UInt8] = []
        var position = offset
        var pointers = 0
        while true {
            guard position < bytes.count else { throw .malformed }
            let count = Int(bytes[position])
            switch count & 0xC0 {
            case 0x00:
                let end = position + 1 + count
                guard end <= bytes.count, wire.count + 1 + count <= DNSLimits.nameBytes else {
                    throw .malformed
                }
                wire.append(contentsOf: bytes[position..<end])
                position = end
                if count == 0 {
                    if pointers == 0 { offset = end }
                    return DNSName(unchecked: wire)
                }
            case 0xC0:
                guard position + 1 < bytes.count else { throw .malformed }
                if pointers == 0 { offset = position + 2 }
                pointers += 1
                guard pointers <= DNSLimits.pointers else { throw .malformed }
                position = (count & 0x3F) << 8 | Int(bytes[position + 1])
            default:
                throw .malformed
            }
        }
    }
}
