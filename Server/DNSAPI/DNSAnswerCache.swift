/// The encoded answers of one event loop to the queries it met since the registry last changed.
///
/// An answer is found by all bytes of the query after its id, so that flags, letter case and
/// options are told apart. Lists of addresses are kept as records and leave in a new random order
/// each time, which is what load balancing by DNS rests on.
struct DNSAnswerCache {
    /// An answer in the parts that change and the parts that do not.
    final class Entry {
        /// The query after its id.
        let query: [UInt8]
        /// The answer after its id, up to its first record.
        let head: [UInt8]
        /// Records of one size each, of which a random part is sent.
        var records: [UInt8]
        let recordBytes: Int
        /// How many records an answer has.
        let sent: Int
        /// What comes after the records.
        let tail: [UInt8]
        /// The whole answer instead, for SRV records.
        let plan: DNSLocationPlan?
        /// The serial number of the zone in the answer, which ends with its second; nil when it has
        /// none.
        let serial: UInt32?

        init(
            query: [UInt8],
            head: [UInt8],
            records: [UInt8] = [],
            recordBytes: Int = 1,
            sent: Int = 0,
            tail: [UInt8] = [],
            plan: DNSLocationPlan? = nil,
            serial: UInt32? = nil
        ) {
            self.query = query
            self.head = head
            self.records = records
            self.recordBytes = recordBytes
            self.sent = sent
            self.tail = tail
            self.plan = plan
            self.serial = serial
        }

        var bytes: Int {
            query.count + head.count + records.count + tail.count + 128 + (plan?.cost ?? 0)
        }

        /// Moves a random choice of the records to the front, in random order.
        func shuffle<Random: RandomNumberGenerator>(using random: inout Random) {
            let count = records.count / recordBytes
            guard count > 1 else { return }
            records.withUnsafeMutableBytes { bytes in
                for index in 0..<min(sent, count - 1) {
                    let other = Int.random(in: index..<count, using: &random)
                    guard other != index else { continue }
                    let start = index * recordBytes
                    let otherStart = other * recordBytes
                    for offset in 0..<recordBytes {
                        bytes.swapAt(start + offset, otherStart + offset)
                    }
                }
            }
        }
    }

    private var entries: [UInt64: Entry] = [:]
    private var bytes = 0

    /// The entry for a query, which must have at least a header.
    func find(_ query: UnsafeRawBufferPointer) -> Entry? {
        let key = UnsafeRawBufferPointer(rebasing: query[2...])
        guard let entry = entries[Self.hash(key)] else { return nil }
        let isSame =
            entry.query.count == key.count
            && entry.query.withUnsafeBytes { $0.elementsEqual(key) }
        return isSame ? entry : nil
    }

    /// Keeps an entry; drops all others first when there is no more room.
    mutating func insert(_ entry: Entry) {
        if bytes + entry.bytes > DNSLimits.cacheBytes { removeAll() }
        guard entry.bytes <= DNSLimits.cacheBytes else { return }
        let hash = entry.query.withUnsafeBytes { Self.hash($0) }
        if let old = entries.updateValue(entry, forKey: hash) { bytes -= old.bytes }
        bytes += entry.bytes
    }

    mutating func removeAll() {
        guard !entries.isEmpty else { return }
        entries.removeAll(keepingCapacity: true)
        bytes = 0
    }

    /// A quick hash; a collision only makes two queries displace each other.
    private static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(key.count)
        var offset = 0
        while offset + 8 <= key.count {
            let word = key.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
            offset += 8
        }
        while offset < key.count {
            hash = (hash ^ UInt64(key[offset])) &* 0x0000_0100_0000_01B3
            offset += 1
        }
        return hash
    }
}

extension DNSAnswerCache.Entry {
    /// An entry for an answer that can be repeated until the registry changes; nil for any other.
    ///
    /// - Parameters:
    ///   - query: the whole query.
    ///   - reply: the answer.
    ///   - encoded: the same, encoded.
    ///   - candidates: the addresses among which the answer chose.
    convenience init?(
        query: [UInt8],
        reply: DNSMessage,
        encoded: [UInt8],
        candidates: [DNSRecord]
    ) {
        // Servers are listed in random order.
        guard let question = reply.questions.first, question.type != .ns, question.type != .soa
        else { return nil }
        let key = Array(query.dropFirst(2))
        if reply.answers.count <= 1, candidates.count <= 1 {
            let serials = reply.authorities.compactMap { record -> UInt32? in
                guard case .soa(let authority) = record.data else { return nil }
                return authority.serial
            }
            self.init(query: key, head: Array(encoded.dropFirst(2)), serial: serials.first)
            return
        }
        let isUniform = (candidates + reply.answers).allSatisfy {
            $0.name == question.name && $0.type == candidates.first?.type
        }
        guard isUniform, let type = candidates.first?.type, type == .a || type == .aaaa else {
            return nil
        }
        let headCount = 12 + question.name.wire.count + 4
        let records = candidates.map { Self.encode($0) }
        let recordBytes = records[0].count
        let end = headCount + reply.answers.count * recordBytes
        guard encoded.count >= end,
            encoded[headCount..<end].elementsEqual(reply.answers.flatMap { Self.encode($0) })
        else { return nil }
        self.init(
            query: key,
            head: Array(encoded[2..<headCount]),
            records: records.flatMap(\.self),
            recordBytes: recordBytes,
            sent: reply.answers.count,
            tail: Array(encoded[end...])
        )
    }

    /// An address of the name in the question, with a pointer to it.
    private static func encode(_ record: DNSRecord) -> [UInt8] {
        guard case .address(let address) = record.data else { return [] }
        let ttl = record.ttlSeconds
        let data = address.bytes
        var bytes: [UInt8] = [0xC0, 0x0C, 0, UInt8(truncatingIfNeeded: record.type.rawValue), 0, 1]
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: ttl >> shift)) }
        bytes += [0, UInt8(data.count)]
        return bytes + data
    }
}
