/// Writes DNS messages, with or without compressed names.
///
/// Names are compressed where RFC 1035 allows it, and never in SRV data; any name may be pointed
/// to. Suffixes are compared in the case they are written in.
///
/// - Source: RFC 1035 §4.1.4, RFC 3597 §4; Consul compresses so
package struct DNSEncoder {
    private var bytes: [UInt8] = []
    private let compresses: Bool
    /// Where the names so far are: the first few in a list, which is quicker, the rest in a table.
    private var firstOffsets: [(suffix: ArraySlice<UInt8>, offset: Int)] = []
    private var offsets: [ArraySlice<UInt8>: Int] = [:]

    private init(compresses: Bool) {
        self.compresses = compresses
        bytes.reserveCapacity(512)
    }

    package static func encode(_ message: DNSMessage, compresses: Bool = true) -> [UInt8] {
        var encoder = DNSEncoder(compresses: compresses)
        encoder.word(message.id)
        encoder.word(message.flags.bits)
        let counts = [
            message.questions.count, message.answers.count, message.authorities.count,
            message.additionals.count,
        ]
        for count in counts { encoder.word(UInt16(truncatingIfNeeded: count)) }
        for question in message.questions {
            encoder.name(question.name)
            encoder.word(question.type.rawValue)
            encoder.word(question.classCode)
        }
        for record in message.answers { encoder.record(record) }
        for record in message.authorities { encoder.record(record) }
        for record in message.additionals { encoder.record(record) }
        return encoder.bytes
    }

    private mutating func word(_ value: UInt16) {
        bytes.append(UInt8(truncatingIfNeeded: value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    private mutating func doubleWord(_ value: UInt32) {
        word(UInt16(truncatingIfNeeded: value >> 16))
        word(UInt16(truncatingIfNeeded: value))
    }

    private mutating func name(_ name: DNSName, mayCompress: Bool = true) {
        guard compresses else {
            bytes.append(contentsOf: name.wire)
            return
        }
        var position = 0
        while name.wire[position] != 0 {
            let suffix = name.wire[position...]
            if let offset = find(suffix) {
                if mayCompress {
                    word(0xC000 | UInt16(offset))
                    return
                }
            } else if bytes.count < 0x4000 {
                if firstOffsets.count < 16 {
                    firstOffsets.append((suffix, bytes.count))
                } else {
                    offsets[suffix] = bytes.count
                }
            }
            let end = position + 1 + Int(name.wire[position])
            bytes.append(contentsOf: name.wire[position..<end])
            position = end
        }
        bytes.append(0)
    }

    private func find(_ suffix: ArraySlice<UInt8>) -> Int? {
        for known in firstOffsets where known.suffix.count == suffix.count {
            if known.suffix == suffix { return known.offset }
        }
        return offsets.isEmpty ? nil : offsets[suffix]
    }

    private mutating func record(_ record: DNSRecord) {
        name(record.name)
        word(record.type.rawValue)
        word(record.classCode)
        doubleWord(record.ttlSeconds)
        let lengthOffset = bytes.count
        word(0)
        data(record.data)
        let length = bytes.count - lengthOffset - 2
        bytes[lengthOffset] = UInt8(truncatingIfNeeded: length >> 8)
        bytes[lengthOffset + 1] = UInt8(truncatingIfNeeded: length)
    }

    private mutating func data(_ data: DNSData) {
        switch data {
        case .address(.v4(let value)): doubleWord(value)
        case .address(let address): bytes.append(contentsOf: address.bytes)
        case .ns(let name), .cname(let name), .ptr(let name): self.name(name)
        case .soa(let authority):
            name(authority.server)
            name(authority.mailbox)
            doubleWord(authority.serial)
            doubleWord(authority.refreshSeconds)
            doubleWord(authority.retrySeconds)
            doubleWord(authority.expireSeconds)
            doubleWord(authority.minimumSeconds)
        case .txt(let strings):
            for string in strings {
                bytes.append(UInt8(truncatingIfNeeded: string.count))
                bytes.append(contentsOf: string.prefix(255))
            }
        case .srv(let priority, let weight, let port, let target):
            word(priority)
            word(weight)
            word(port)
            name(target, mayCompress: false)
        case .opt(let options): bytes.append(contentsOf: options)
        case .other(_, let raw): bytes.append(contentsOf: raw)
        }
    }
}
