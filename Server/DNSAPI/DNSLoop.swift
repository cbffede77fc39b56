import Model
import NIOCore
import Replica
import StateStore

/// Answers the queries of one event loop; stays on it.
final class DNSLoop {
    private let replica: Replica
    private let settings: DNSSettings
    private let wallClock: @Sendable () -> Timestamp
    let gate: DNSGate
    private var published: Published
    private var cache = DNSAnswerCache()
    private var random: QuickRandom
    private var responder: DNSResponder<QuickRandom>

    init(
        replica: Replica,
        settings: DNSSettings,
        wallClock: @escaping @Sendable () -> Timestamp
    ) {
        self.replica = replica
        self.settings = settings
        self.wallClock = wallClock
        gate = DNSGate(replica: replica, settings: settings)
        published = replica.current
        random = QuickRandom(seed: .random(in: 0 ... .max))
        responder = DNSResponder(
            store: published.store,
            settings: settings,
            serial: 0,
            random: QuickRandom(seed: .random(in: 0 ... .max))
        )
    }

    /// The answer to a query, after `prefixBytes` bytes that the caller fills in; nil when there is
    /// none.
    func respond(
        to query: ByteBuffer,
        over transport: DNSTransport,
        prefixBytes: Int = 0,
        allocator: ByteBufferAllocator
    ) -> ByteBuffer? {
        guard query.readableBytes >= 12 else { return nil }
        follow()
        if transport == .udp, let entry = query.withUnsafeReadableBytes({ cache.find($0) }),
            entry.serial == nil || entry.serial == serial
        {
            return answer(with: entry, query, allocator)
        }
        let bytes = Array(query.readableBytesView)
        guard let encoded = resolve(bytes, over: transport) else { return nil }
        var buffer = allocator.buffer(capacity: prefixBytes + encoded.count)
        buffer.writeRepeatingByte(0, count: prefixBytes)
        buffer.writeBytes(encoded)
        return buffer
    }

    /// The answer to a query when it is not known whether the state is current: that the server
    /// failed.
    func refuse(
        _ query: ByteBuffer,
        prefixBytes: Int = 0,
        allocator: ByteBufferAllocator
    ) -> ByteBuffer? {
        guard let reply = responder.serverFailure(to: Array(query.readableBytesView)) else {
            return nil
        }
        let encoded = DNSEncoder.encode(reply, compresses: !settings.disableCompression)
        var buffer = allocator.buffer(capacity: prefixBytes + encoded.count)
        buffer.writeRepeatingByte(0, count: prefixBytes)
        buffer.writeBytes(encoded)
        return buffer
    }

    /// The serial number of the zone: the time in seconds.
    private var serial: UInt32 {
        UInt32(truncatingIfNeeded: wallClock().nanosecondsSinceEpoch / 1_000_000_000)
    }

    /// Takes up the newest state of the registry.
    private func follow() {
        guard replica.generation != published.generation else { return }
        let catalogIndex = published.store.catalogIndex
        published = replica.current
        responder.store = published.store
        // Most commits are about keys and sessions.
        if published.store.catalogIndex != catalogIndex { cache.removeAll() }
    }

    private func answer(
        with entry: DNSAnswerCache.Entry,
        _ query: ByteBuffer,
        _ allocator: ByteBufferAllocator
    ) -> ByteBuffer {
        let id = query.getInteger(at: query.readerIndex, as: UInt16.self) ?? 0
        if let plan = entry.plan {
            let answer = plan.answer(using: &random)
            var buffer = allocator.buffer(capacity: 2 + answer.count)
            buffer.writeInteger(id)
            buffer.writeBytes(answer)
            return buffer
        }
        entry.shuffle(using: &random)
        let recordBytes = entry.sent * entry.recordBytes
        let count = 2 + entry.head.count + recordBytes + entry.tail.count
        var buffer = allocator.buffer(capacity: count)
        buffer.writeInteger(id)
        buffer.writeBytes(entry.head)
        if recordBytes > 0 {
            entry.records.withUnsafeBytes { records in
                _ = buffer.writeBytes(UnsafeRawBufferPointer(rebasing: records[..<recordBytes]))
            }
        }
        if !entry.tail.isEmpty { buffer.writeBytes(entry.tail) }
        return buffer
    }

    private func resolve(_ query: [UInt8], over transport: DNSTransport) -> [UInt8]? {
        responder.serial = serial
        guard let reply = responder.reply(to: query, over: transport) else { return nil }
        let encoded = DNSEncoder.encode(reply, compresses: !settings.disableCompression)
        let limit = transport == .udp ? DNSLimits.datagramBytes : Int(UInt16.max)
        guard encoded.count <= limit else { return nil }
        if transport == .udp { keep(query, reply, encoded) }
        return encoded
    }

    /// Keeps the answer for the next time, if it is one that can be repeated.
    private func keep(
        _ query: [UInt8],
        _ reply: DNSMessage,
        _ encoded: [UInt8]
    ) {
        let plan = DNSLocationPlan(
            reply: reply,
            parts: responder.parts,
            announcedBytes: reply.options.map { Int($0.classCode) },
            settings: settings
        )
        if let plan {
            let key = Array(query.dropFirst(2))
            cache.insert(DNSAnswerCache.Entry(query: key, head: [], plan: plan))
            return
        }
        let entry = DNSAnswerCache.Entry(
            query: query,
            reply: reply,
            encoded: encoded,
            candidates: responder.candidates
        )
        if let entry { cache.insert(entry) }
    }
}

/// A small generator for the order of records; nothing secret depends on it.
///
/// - Source: Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (SplitMix64)
struct QuickRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
