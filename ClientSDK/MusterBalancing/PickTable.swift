import Synchronization

/// A block of words that one writer rewrites while any number of threads read it without a lock.
///
/// Readers take no reference and write nothing shared. A reader notes the version, reads words,
/// and keeps what it read only if the version is still the same and even; the writer makes it odd
/// while it works. A block is never freed before its owner, so a late reader reads stale words,
/// never freed memory; every access is checked against the block's fixed size.
///
/// ```
/// word 0  size of the block, never changes      word 4  length of the plan
/// word 1  version, odd while being written      word 5… endpoints, three words each:
/// word 2  generation of the snapshot                    high, low, port | family<<16 | index<<32
/// word 3  number of endpoints                   then    the plan, one word per step
/// ```
///
/// - Source: Boehm, "Can Seqlocks Get Along With Programming Language Memory Models?" (2012).
// SAFETY: the words are atomics and the pointer never changes; the owner frees the block when no
// reader can exist any more (in its own deinit).
struct PickTable: @unchecked Sendable {
    static let headerWords = 5
    static let wordsPerEndpoint = 3

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

    /// The step of the plan at `index`, given the number of endpoints.
    @inline(__always)
    func plan(_ index: Int, count: Int) -> UInt64 {
        word(Self.headerWords &+ count &* Self.wordsPerEndpoint &+ index)
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

    /// How many words a table of that size needs.
    static func words(endpoints: Int, plan: Int) -> Int {
        headerWords + endpoints * wordsPerEndpoint + plan
    }

    /// Replaces the content.
    ///
    /// Only the one writer calls this.
    func write(generation: UInt64, endpoints: [(ServiceEndpoint, Int)], plan: [UInt64]) {
        precondition(
            Self.words(endpoints: endpoints.count, plan: plan.count) <= capacity,
            "\(endpoints.count) endpoints and \(plan.count) steps in \(capacity) words"
        )
        let version = words[1].load(ordering: .relaxed)
        words[1].store(version &+ 1, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        words[2].store(generation, ordering: .relaxed)
        words[3].store(UInt64(endpoints.count), ordering: .relaxed)
        words[4].store(UInt64(plan.count), ordering: .relaxed)
        var next = Self.headerWords
        for (endpoint, index) in endpoints {
            let rest =
                UInt64(endpoint.port) | UInt64(endpoint.familyCode) << 16
                | UInt64(index) << 32
            words[next].store(endpoint.high, ordering: .relaxed)
            words[next + 1].store(endpoint.low, ordering: .relaxed)
            words[next + 2].store(rest, ordering: .relaxed)
            next += Self.wordsPerEndpoint
        }
        for step in plan {
            words[next].store(step, ordering: .relaxed)
            next += 1
        }
        words[1].store(version &+ 2, ordering: .releasing)
    }
}
