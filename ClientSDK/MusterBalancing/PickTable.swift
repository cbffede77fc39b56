import Synchronization

/// A block of words that one writer rewrites while any number of threads read it without a lock.
///
/// Readers take no reference and write nothing shared. A reader notes the version, reads words,
/// and keeps what it read only if the version is still the same and even; the writer makes it odd
/// while it works. A block is never freed before its owner, so a late reader reads stale words,
/// never freed memory; every access is checked against the block's fixed size.
///
/// ```
/// word 0  size of the block, never changes      word 5  how to choose (``PickMethod``)
/// word 1  version, odd while being written      word 6  endpoints on probation, after the others
/// word 2  generation of the snapshot            word 7  number of the table
/// word 3  number of endpoints                   word 8… endpoints, four words each: high, low,
/// word 4  length of the plan                            port | family<<16 | index<<32, tracker
///                                               then    the plan, what its words mean depends
///                                                       on how to choose
/// ```
///
/// - Source: Boehm, "Can Seqlocks Get Along With Programming Language Memory Models?" (2012).
// SAFETY: the words are atomics and the pointer never changes; the owner frees the block when no
// reader can exist any more (in its own deinit).
struct PickTable: @unchecked Sendable {
    static let headerWords = 8
    static let wordsPerEndpoint = 4

    /// What a table holds.
    struct Content {
        /// An instance that may be picked.
        struct Entry {
            let endpoint: ServiceEndpoint
            let index: Int
            var tracker = Tracker.none
        }

        let generation: UInt64
        let number: UInt64
        let entries: [Entry]
        var probes: [Entry] = []
        let plan: PickPlan

        /// How many words it takes.
        var words: Int {
            headerWords + (entries.count + probes.count) * wordsPerEndpoint + plan.words.count
        }
    }

    private let words: UnsafeMutablePointer<Atomic<UInt64>>

    /// Allocates an empty block; `deallocate()` must be called once.
    init(capacity: Int) {
        let capacity = max(capacity, Self.headerWords)
        words = .allocate(capacity: capacity)
        for index in 0..<capacity {
            (words + index).initialize(to: Atomic(index == 0 ? UInt64(capacity) : 0))
        }
    }

    /// The block that `bits` was asked of.
    @inline(__always)
    init(bits: UInt) {
        guard let words = UnsafeMutablePointer<Atomic<UInt64>>(bitPattern: bits) else {
            preconditionFailure("a pick table at address \(bits)")
        }
        self.words = words
    }

    func deallocate() {
        words.deinitialize(count: capacity)
        words.deallocate()
    }

    /// What a reader finds the block by: its address, in a form that an atomic can hold.
    var bits: UInt { UInt(bitPattern: words) }

    /// How many words the block has.
    @inline(__always)
    var capacity: Int { Int(truncatingIfNeeded: words[0].load(ordering: .relaxed)) }

    /// The version, odd while the block is being written.
    @inline(__always)
    var version: UInt64 { words[1].load(ordering: .acquiring) }

    /// The generation of the snapshot the block holds.
    @inline(__always)
    var generation: UInt64 { words[2].load(ordering: .acquiring) }

    /// How many endpoints there are.
    @inline(__always)
    var count: Int { Int(truncatingIfNeeded: words[3].load(ordering: .acquiring)) }

    /// How many steps the plan has.
    @inline(__always)
    var planCount: Int { Int(truncatingIfNeeded: words[4].load(ordering: .acquiring)) }

    /// How to choose.
    @inline(__always)
    var method: PickMethod {
        PickMethod(rawValue: UInt8(truncatingIfNeeded: words[5].load(ordering: .acquiring)))
            ?? .roundRobin
    }

    /// How many endpoints on probation follow the others.
    @inline(__always)
    var probes: Int { Int(truncatingIfNeeded: words[6].load(ordering: .acquiring)) }

    /// Which table this is of all that its balancer has written.
    @inline(__always)
    var number: UInt64 { words[7].load(ordering: .acquiring) }

    /// The word of the plan at `index`, given the number of endpoints with those on probation.
    @inline(__always)
    func plan(_ index: Int, count: Int) -> UInt64 {
        word(Self.headerWords &+ count &* Self.wordsPerEndpoint &+ index)
    }

    /// What follows the calls of the endpoint at `position`.
    ///
    /// Must not be used before the version was seen unchanged: a torn read is no address.
    @inline(__always)
    func tracker(_ position: Int) -> Tracker {
        Tracker(bits: UInt(word(Self.headerWords &+ position &* Self.wordsPerEndpoint &+ 3)))
    }

    /// Whether the block still is what it was at `version`.
    @inline(__always)
    func isStill(_ version: UInt64) -> Bool { version & 1 == 0 && self.version == version }

    /// The same, ordered after everything this thread has written.
    @inline(__always)
    func isStillAfterWrites(_ version: UInt64) -> Bool {
        version & 1 == 0 && words[1].load(ordering: .sequentiallyConsistent) == version
    }

    /// The endpoint at `position` and its instance's index in the snapshot.
    @inline(__always)
    func endpoint(_ position: Int) -> (ServiceEndpoint, Int) {
        var first = Self.headerWords &+ position &* Self.wordsPerEndpoint
        // Only a torn read leads outside; what it finds is thrown away, so any place will do.
        if first < 0 || first >= capacity &- 2 { first = 0 }
        let rest = words[first &+ 2].load(ordering: .acquiring)
        let endpoint = ServiceEndpoint(
            high: words[first].load(ordering: .acquiring),
            low: words[first &+ 1].load(ordering: .acquiring),
            port: UInt16(truncatingIfNeeded: rest),
            familyCode: UInt8(truncatingIfNeeded: rest >> 16)
        )
        return (endpoint, Int(truncatingIfNeeded: rest >> 32))
    }

    /// The word at `index`, 0 when there is none.
    ///
    /// Acquiring, so that a later look at the version cannot move before it.
    @inline(__always)
    private func word(_ index: Int) -> UInt64 {
        index >= 0 && index < capacity ? words[index].load(ordering: .acquiring) : 0
    }

    /// Replaces the content.
    ///
    /// Only the one writer calls this.
    func write(_ content: Content) {
        precondition(
            content.words <= capacity,
            "a table of \(content.words) words in a block of \(capacity)"
        )
        let version = words[1].load(ordering: .relaxed)
        words[1].store(version &+ 1, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        words[2].store(content.generation, ordering: .relaxed)
        words[3].store(UInt64(content.entries.count), ordering: .relaxed)
        words[4].store(UInt64(content.plan.words.count), ordering: .relaxed)
        words[5].store(UInt64(content.plan.method.rawValue), ordering: .relaxed)
        words[6].store(UInt64(content.probes.count), ordering: .relaxed)
        words[7].store(content.number, ordering: .relaxed)
        var next = Self.headerWords
        for entry in content.entries { write(entry, at: &next) }
        for entry in content.probes { write(entry, at: &next) }
        for step in content.plan.words {
            words[next].store(step, ordering: .relaxed)
            next += 1
        }
        words[1].store(version &+ 2, ordering: .sequentiallyConsistent)
    }

    private func write(_ entry: Content.Entry, at next: inout Int) {
        let endpoint = entry.endpoint
        let rest =
            UInt64(endpoint.port) | UInt64(endpoint.familyCode) << 16 | UInt64(entry.index) << 32
        words[next].store(endpoint.high, ordering: .relaxed)
        words[next + 1].store(endpoint.low, ordering: .relaxed)
        words[next + 2].store(rest, ordering: .relaxed)
        words[next + 3].store(UInt64(entry.tracker.bits), ordering: .relaxed)
        next += Self.wordsPerEndpoint
    }
}
