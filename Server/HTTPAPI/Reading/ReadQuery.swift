package import Model
package import Replica
package import StateStore

/// What evaluating a read on one snapshot gave.
package struct ReadAnswer: Sendable {
    package var reply: Reply
    /// The index of what was read; clients never see less than 1.
    package var index: LogIndex
    /// What a later write must touch to change the answer.
    package var topics: [Topic]
    /// True when the index, too, changes only with the topics.
    ///
    /// Indexes of what does not exist, and of lists that share the index of a whole table, move
    /// with unrelated writes.
    package var isPinned = false
    /// Which publication it was read from.
    var generation: UInt64 = 0
    var standing = ReadStanding()
    /// False for the few answers that Consul sends without index and leader.
    package var announcesIndex = true

    package init(_ reply: Reply, index: LogIndex, topics: [Topic], isPinned: Bool = false) {
        self.reply = reply
        self.index = index
        self.topics = topics
        self.isPinned = isPinned
    }
}

/// A read of the registry that may be evaluated again: on wake-ups, for others who ask the same,
/// and to renew a prepared reply.
package struct ReadQuery: Sendable {
    package typealias Evaluation = @Sendable (_ state: Published) throws(HTTPError) -> ReadAnswer

    /// Equal for requests that get equal answers from equal snapshots.
    package let identity: String
    /// Equal for requests that Consul's agents answer from one cache entry.
    let cacheIdentity: String
    package let options: QueryOptions
    package let evaluate: Evaluation

    package init(_ request: Request, _ options: QueryOptions, _ evaluate: @escaping Evaluation) {
        identity = options.identity(of: request)
        cacheIdentity = options.cacheIdentity(of: request)
        self.options = options
        self.evaluate = evaluate
    }

    /// Whether a reply may be kept and sent again while nothing it reads has changed.
    var isPreparable: Bool { options.minimumIndex == .zero && !options.usesCache }

    /// Whether an answer at `index` is not what the client waits for.
    func waits(after index: LogIndex) -> Bool {
        options.minimumIndex > .zero && index <= options.minimumIndex
    }
}
