/// What a connection's time-outs are measured from, in sweeps of its event loop.
struct ConnectionClock {
    private var lastProgress = 0
    /// True from a head's first bytes until the head is complete.
    private(set) var isInHead = false
    private var stalledSince: Int?
    private var lastUnsent = 0

    mutating func begin(at tick: Int) {
        lastProgress = tick
    }

    /// A head or a piece of a body came, or an answer went out.
    mutating func progressed(at tick: Int) {
        lastProgress = tick
        isInHead = false
    }

    /// Bytes of an incomplete head came; more of them do not prolong the time it has.
    mutating func headStarted(at tick: Int) {
        guard !isInHead else { return }
        isInHead = true
        lastProgress = tick
    }

    func isOver(_ limit: Int, at tick: Int) -> Bool {
        tick - lastProgress > limit
    }

    /// The client takes what it is sent.
    mutating func writable() {
        stalledSince = nil
    }

    /// Whether nothing of the unsent bytes was taken for `limit` sweeps.
    mutating func isWriteStalled(unsent: Int, at tick: Int, limit: Int) -> Bool {
        if stalledSince == nil || unsent < lastUnsent { stalledSince = tick }
        lastUnsent = unsent
        return tick - (stalledSince ?? tick) > limit
    }
}
