package import Model

/// The result of a query, with what a blocking query needs to wait for the next one.
package struct Answer<Value: Sendable>: Sendable {
    package let value: Value
    /// The greatest index the value depends on: `X-Consul-Index`.
    ///
    /// At least 1; it never goes backwards.
    package let index: LogIndex
    /// A commit that changes the value touches at least one of these.
    package let topics: [Topic]

    init(_ value: Value, _ index: LogIndex, _ topics: [Topic]) {
        self.value = value
        self.index = max(index, LogIndex(rawValue: 1))
        self.topics = topics
    }

    /// The same answer with its value replaced.
    package func map<Other: Sendable>(_ transform: (Value) -> Other) -> Answer<Other> {
        Answer<Other>(transform(value), index, topics)
    }
}
