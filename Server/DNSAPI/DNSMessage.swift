/// A DNS message.
///
/// - Source: RFC 1035 §4.1
package struct DNSMessage: Sendable, Equatable {
    package var id: UInt16 = 0
    package var flags = DNSFlags()
    package var questions: [DNSQuestion] = []
    package var answers: [DNSRecord] = []
    package var authorities: [DNSRecord] = []
    package var additionals: [DNSRecord] = []

    package init() {}

    /// The pseudo-record of EDNS, if the message has one.
    ///
    /// - Source: RFC 6891 §6.1.1
    package var options: DNSRecord? {
        additionals.last { $0.type == .opt }
    }
}

/// The second word of the header.
///
/// ```
/// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
/// |QR|  opcode   |AA|TC|RD|RA| Z|AD|CD|   rcode   |
/// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
/// ```
/// - Source: RFC 1035 §4.1.1, RFC 2535 §6.1
package struct DNSFlags: Sendable, Equatable {
    package var bits: UInt16 = 0

    package init(bits: UInt16 = 0) {
        self.bits = bits
    }

    package static let response: UInt16 = 0x8000
    package static let authoritative: UInt16 = 0x0400
    package static let truncated: UInt16 = 0x0200
    package static let recursionDesired: UInt16 = 0x0100
    package static let recursionAvailable: UInt16 = 0x0080
    package static let checkingDisabled: UInt16 = 0x0010
    /// The bits of the opcode.
    package static let operation: UInt16 = 0x7800

    package func has(_ flag: UInt16) -> Bool {
        bits & flag != 0
    }

    package mutating func insert(_ flag: UInt16) {
        bits |= flag
    }

    package var opcode: UInt8 {
        UInt8(truncatingIfNeeded: (bits & DNSFlags.operation) >> 11)
    }

    package var responseCode: DNSResponseCode {
        get { DNSResponseCode(rawValue: UInt8(truncatingIfNeeded: bits & 0xF)) }
        set { bits = bits & 0xFFF0 | UInt16(newValue.rawValue & 0xF) }
    }
}

/// - Source: RFC 1035 §4.1.1
package struct DNSResponseCode: Sendable, Equatable, RawRepresentable {
    package var rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let success = DNSResponseCode(rawValue: 0)
    package static let formatError = DNSResponseCode(rawValue: 1)
    package static let serverFailure = DNSResponseCode(rawValue: 2)
    package static let nameError = DNSResponseCode(rawValue: 3)
    package static let notImplemented = DNSResponseCode(rawValue: 4)
    package static let refused = DNSResponseCode(rawValue: 5)
}

/// The type of a record or of a question.
///
/// - Source: RFC 1035 §3.2.2, RFC 2782, RFC 3596, RFC 6891
package struct DNSType: Sendable, Hashable, RawRepresentable {
    package var rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    package static let a = DNSType(rawValue: 1)
    package static let ns = DNSType(rawValue: 2)
    package static let cname = DNSType(rawValue: 5)
    package static let soa = DNSType(rawValue: 6)
    package static let ptr = DNSType(rawValue: 12)
    package static let txt = DNSType(rawValue: 16)
    package static let aaaa = DNSType(rawValue: 28)
    package static let srv = DNSType(rawValue: 33)
    package static let opt = DNSType(rawValue: 41)
    package static let ixfr = DNSType(rawValue: 251)
    package static let axfr = DNSType(rawValue: 252)
    package static let any = DNSType(rawValue: 255)
}

/// - Source: RFC 1035 §4.1.2
package struct DNSQuestion: Sendable, Hashable {
    package var name: DNSName
    package var type: DNSType
    package var classCode: UInt16

    package init(name: DNSName, type: DNSType, classCode: UInt16 = 1) {
        self.name = name
        self.type = type
        self.classCode = classCode
    }
}

/// One resource record.
///
/// - Source: RFC 1035 §4.1.3
package struct DNSRecord: Sendable, Hashable {
    package var name: DNSName
    package var type: DNSType
    package var classCode: UInt16
    package var ttlSeconds: UInt32
    package var data: DNSData

    package init(name: DNSName, ttlSeconds: UInt32, data: DNSData) {
        self.name = name
        self.type = data.type
        self.classCode = 1
        self.ttlSeconds = ttlSeconds
        self.data = data
    }

    package init(
        name: DNSName,
        type: DNSType,
        classCode: UInt16,
        ttlSeconds: UInt32,
        data: DNSData
    ) {
        self.name = name
        self.type = type
        self.classCode = classCode
        self.ttlSeconds = ttlSeconds
        self.data = data
    }
}

/// What a record holds.
package enum DNSData: Sendable, Hashable {
    case address(IPAddress)
    case ns(DNSName)
    case cname(DNSName)
    case ptr(DNSName)
    case soa(StartOfAuthority)
    /// Strings of up to 255 bytes each.
    case txt([[UInt8]])
    case srv(priority: UInt16, weight: UInt16, port: UInt16, target: DNSName)
    /// The options of EDNS, undecoded.
    case opt([UInt8])
    case other(DNSType, [UInt8])

    package var type: DNSType {
        switch self {
        case .address(.v4): .a
        case .address(.v6): .aaaa
        case .ns: .ns
        case .cname: .cname
        case .ptr: .ptr
        case .soa: .soa
        case .txt: .txt
        case .srv: .srv
        case .opt: .opt
        case .other(let type, _): type
        }
    }
}

/// - Source: RFC 1035 §3.3.13
package struct StartOfAuthority: Sendable, Hashable {
    package var server: DNSName
    package var mailbox: DNSName
    package var serial: UInt32
    package var refreshSeconds: UInt32
    package var retrySeconds: UInt32
    package var expireSeconds: UInt32
    package var minimumSeconds: UInt32

    package init(
        server: DNSName,
        mailbox: DNSName,
        serial: UInt32,
        refreshSeconds: UInt32,
        retrySeconds: UInt32,
        expireSeconds: UInt32,
        minimumSeconds: UInt32
    ) {
        self.server = server
        self.mailbox = mailbox
        self.serial = serial
        self.refreshSeconds = refreshSeconds
        self.retrySeconds = retrySeconds
        self.expireSeconds = expireSeconds
        self.minimumSeconds = minimumSeconds
    }
}
