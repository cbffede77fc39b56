package import StateStore

/// The registry as of one commit: immutable, shared by every reader.
package final class Published: Sendable {
    package let store: StateStore
    /// Counts publications from 0; moves by one with each.
    package let generation: UInt64

    init(store: StateStore, generation: UInt64) {
        self.store = store
        self.generation = generation
    }
}
