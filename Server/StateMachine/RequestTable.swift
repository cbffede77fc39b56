import Model

/// Which requests have taken effect, so that one that comes twice does so once.
///
/// Part of the replicated state: every server decides alike. For each start of each origin,
/// requests below a watermark are done or void, and those above it that are done are listed. The
/// watermark follows what the origin declares resolved.
/// - Source: Raft dissertation §6.3.
struct RequestTable: Hashable, Sendable {
    fileprivate struct Key: Hashable, Comparable, Sendable {
        var origin: UInt128
        var start: UInt64

        static func < (left: Key, right: Key) -> Bool {
            (left.origin, left.start) < (right.origin, right.start)
        }
    }

    fileprivate struct Origin: Hashable, Sendable {
        /// Requests up to here have taken effect or never will.
        var through: UInt64 = 0
        /// Requests above `through` that have taken effect.
        var done: Set<UInt64> = []
        /// When the origin was last heard of.
        var lastIndex = LogIndex.zero
    }

    private var origins: [Key: Origin] = [:]
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// Notes a request; false when it must not take effect, because it already has or is void.
    mutating func admit(_ request: RequestID, resolved: UInt64, at index: LogIndex) -> Bool {
        let key = Key(origin: request.origin, start: request.start)
        if origins[key] == nil { makeRoom() }
        return origins[key, default: Origin()].admit(request, resolved: resolved, at: index)
    }

    /// Forgets the origin that was not heard of for longest, when the table is full.
    private mutating func makeRoom() {
        guard origins.count >= limit else { return }
        let oldest = origins.min { ($0.value.lastIndex, $0.key) < ($1.value.lastIndex, $1.key) }
        if let oldest { origins[oldest.key] = nil }
    }

    // MARK: On disk

    /// Appends the table: a count, then each origin in order of its id.
    ///
    /// ```
    /// | origins 8 | origin 16 | start 8 | through 8 | last index 8 | done 8 | number 8 … | …
    /// ```
    func encode(into output: inout [UInt8]) {
        output.append(number: UInt64(origins.count))
        for (id, origin) in origins.sorted(by: { $0.key < $1.key }) {
            output.append(number: UInt64(truncatingIfNeeded: id.origin))
            output.append(number: UInt64(truncatingIfNeeded: id.origin >> 64))
            output.append(number: id.start)
            output.append(number: origin.through)
            output.append(number: origin.lastIndex.rawValue)
            output.append(number: UInt64(origin.done.count))
            for number in origin.done.sorted() { output.append(number: number) }
        }
    }

    /// Reads a table; nil when the bytes are not one.
    init?(_ reader: inout NumberReader, limit: Int) {
        self.limit = limit
        guard let count = reader.next(), count <= UInt64(limit) else { return nil }
        for _ in 0..<count {
            guard let low = reader.next(), let high = reader.next(), let start = reader.next(),
                let through = reader.next(), let index = reader.next(),
                let done = reader.next(), done <= reader.left
            else { return nil }
            var origin = Origin(through: through)
            origin.lastIndex = LogIndex(rawValue: index)
            for _ in 0..<done { origin.done.insert(reader.next() ?? 0) }
            let id = UInt128(high) << 64 | UInt128(low)
            origins[Key(origin: id, start: start)] = origin
        }
    }
}

extension RequestTable.Origin {
    fileprivate mutating func admit(
        _ request: RequestID,
        resolved: UInt64,
        at index: LogIndex
    ) -> Bool {
        lastIndex = index
        settle(below: resolved)
        guard request.number > through else { return false }
        if request.number == through + 1 {
            through = request.number
            absorb()
            return true
        }
        return done.insert(request.number).inserted
    }

    private mutating func settle(below resolved: UInt64) {
        guard resolved > through + 1 else { return }
        through = resolved - 1
        guard !done.isEmpty else { return }
        done = done.filter { $0 > through }
        absorb()
    }

    private mutating func absorb() {
        while !done.isEmpty, done.remove(through + 1) != nil { through += 1 }
    }
}

/// Reads numbers of eight bytes, one after the other.
struct NumberReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// How many whole numbers are left.
    var left: UInt64 { UInt64((bytes.count - position) / 8) }
    var isAtEnd: Bool { position == bytes.count }

    mutating func next() -> UInt64? {
        guard bytes.count - position >= 8 else { return nil }
        defer { position += 8 }
        return bytes.number(at: position)
    }
}
