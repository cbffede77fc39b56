import NIOCore
import Replica

/// The replies of one event loop that are ready to be sent again, by the exact bytes of the
/// request's head.
///
/// Four entries share a bucket, so looking up costs the same whatever clients send. An entry stays
/// true until a commit touches a topic it was read from; then it is read anew, without parsing,
/// when it is asked for next. Bounded by `HTTPLimits.preparedRepliesPerLoop` and
/// `preparedBytesPerLoop`.
final class PreparedReplies {
    /// One reply with what it takes to make it anew.
    ///
    /// Its request was authorized when it was kept: whatever changes what a token may do must empty
    /// the table.
    private final class Prepared {
        let key: [UInt8]
        let hash: UInt64
        let query: ReadQuery
        let variant: ReplyVariant
        var rendered: RenderedReply
        /// Nil once a topic was touched.
        var watch: WatchID?
        /// See `ReadAnswer.isPinned`.
        var isPinned = false
        var generation: UInt64 = 0
        /// What the reply told when it was rendered.
        var standing = ReadStanding()
        /// Counted against the limit.
        var bytes: Int

        init(
            key: [UInt8],
            hash: UInt64,
            query: ReadQuery,
            variant: ReplyVariant,
            rendered: RenderedReply
        ) {
            self.key = key
            self.hash = hash
            self.query = query
            self.variant = variant
            self.rendered = rendered
            bytes = key.count + rendered.buffer.readableBytes
        }
    }

    private static let ways = 4
    private let reader: LoopReader
    private let mask: Int
    private let byteLimit: Int
    private var entries: [Prepared?]
    private var nextVictim = 0
    private(set) var bytes = 0

    init(reader: LoopReader, limits: HTTPLimits) {
        self.reader = reader
        byteLimit = limits.preparedBytesPerLoop
        let buckets = max(1, limits.preparedRepliesPerLoop / PreparedReplies.ways)
        let rounded = 1 << (Int.bitWidth - 1 - buckets.leadingZeroBitCount)
        mask = rounded - 1
        entries = Array(repeating: nil, count: rounded * PreparedReplies.ways)
    }

    /// The reply to a request with exactly these bytes, if it is known and can be given at once.
    ///
    /// - Parameters:
    ///   - bytes: the request's head.
    ///   - date: the current one.
    ///   - assurance: what is known of how current the published state is.
    /// - Returns: the bytes to send, or nil when the request must be parsed.
    func reply(
        forHead bytes: ByteBuffer,
        date: HTTPDate,
        assured assurance: ReadRequirement?
    ) -> ByteBuffer? {
        bytes.withUnsafeReadableBytes { head -> ByteBuffer? in
            let hash = PreparedReplies.hash(head)
            let first = (Int(truncatingIfNeeded: hash) & mask) * PreparedReplies.ways
            for position in first..<first + PreparedReplies.ways {
                guard let entry = entries[position], entry.hash == hash,
                    entry.key.count == head.count,
                    entry.key.withUnsafeBytes({ $0.isEqual(to: head) })
                else { continue }
                guard let standing = standing(of: entry, assurance) else { return nil }
                if !isCurrent(entry, standing), !renew(entry, standing, date: date) {
                    remove(at: position)
                    return nil
                }
                if standing.isStale {
                    entry.rendered.setContact(standing.lastContactMilliseconds)
                }
                entry.rendered.refresh(date)
                return entry.rendered.buffer
            }
            return nil
        }
    }

    /// Keeps a reply for the next request with the same head.
    func keep(
        _ rendered: RenderedReply,
        forHead head: ByteBuffer,
        query: ReadQuery,
        variant: ReplyVariant,
        answer: ReadAnswer
    ) {
        let size = head.readableBytes + rendered.buffer.readableBytes
        guard bytes + size <= byteLimit else { return }
        let key = Array(head.readableBytesView)
        let hash = key.withUnsafeBytes { PreparedReplies.hash($0) }
        let first = (Int(truncatingIfNeeded: hash) & mask) * PreparedReplies.ways
        let ways = first..<first + PreparedReplies.ways
        let position =
            ways.first { entries[$0]?.hash == hash && entries[$0]?.key == key }
            ?? ways.first { entries[$0] == nil } ?? first + nextVictim
        nextVictim = (nextVictim + 1) % PreparedReplies.ways
        remove(at: position)
        let entry = Prepared(
            key: key,
            hash: hash,
            query: query,
            variant: variant,
            rendered: rendered
        )
        entries[position] = entry
        bytes += entry.bytes
        watch(entry, answer)
    }

    /// What a reply may tell of itself, or nil when nothing is assured that its request needs.
    private func standing(
        of entry: Prepared,
        _ assurance: ReadRequirement?
    ) -> ReadStanding? {
        switch entry.query.options.consistency {
        case .standard: assurance == nil ? nil : ReadStanding()
        case .consistent: assurance == .confirmed ? ReadStanding() : nil
        case .stale: reader.barrier.staleStanding(for: entry.query.options)
        }
    }

    /// Whether the entry still says what a new evaluation would; the last contact apart.
    private func isCurrent(_ entry: Prepared, _ standing: ReadStanding) -> Bool {
        entry.watch != nil && (entry.isPinned || entry.generation == reader.generation)
            && entry.standing.isStale == standing.isStale
            && entry.standing.knowsLeader == standing.knowsLeader
    }

    /// Reads an entry anew whose topics were touched; false when it can no longer be kept.
    private func renew(
        _ entry: Prepared,
        _ standing: ReadStanding,
        date: HTTPDate
    ) -> Bool {
        // What fails is asked again.
        guard let answer = try? reader.evaluate(entry.query, standing) else { return false }
        let reply = reader.finished(answer, entry.query)
        entry.rendered = reader.renderer.render(reply, entry.variant, date: date)
        let size = entry.key.count + entry.rendered.buffer.readableBytes
        guard bytes - entry.bytes + size <= byteLimit else { return false }
        bytes += size - entry.bytes
        entry.bytes = size
        watch(entry, answer)
        return true
    }

    private func watch(_ entry: Prepared, _ answer: ReadAnswer) {
        if let old = entry.watch { reader.watches.cancel(old) }
        entry.isPinned = answer.isPinned
        entry.generation = answer.generation
        entry.standing = answer.standing
        entry.watch = reader.watches.park(answer.topics, urgency: .deferred) {
            [weak kept = entry] in
            kept?.watch = nil
        }
    }

    private func remove(at position: Int) {
        guard let entry = entries[position] else { return }
        if let watch = entry.watch { reader.watches.cancel(watch) }
        bytes -= entry.bytes
        entries[position] = nil
    }

    /// A fast hash; whoever makes heads collide only crowds out their bucket.
    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = UInt64(truncatingIfNeeded: bytes.count) &* 0x9E37_79B9_7F4A_7C15
        var offset = 0
        while offset + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            state = (state ^ word) &* 0xBF58_476D_1CE4_E5B9
            state ^= state >> 29
            offset += 8
        }
        while offset < bytes.count {
            state = (state ^ UInt64(bytes[offset])) &* 0x94D0_49BB_1331_11EB
            state ^= state >> 31
            offset += 1
        }
        return state ^ (state >> 32)
    }
}
