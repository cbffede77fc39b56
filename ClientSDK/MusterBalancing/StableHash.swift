/// A hash that is the same in every process, unlike `Hasher`.
///
/// Every client must send a key to the same instance, so what it hashes may not depend on the
/// process's seed. Not for secrets: who chooses keys can aim them.
///
/// - Source: FNV-1a (draft-eastlake-fnv) over the bytes, scattered by SplitMix64's finalizer.
public enum StableHash {
    /// The hash of a text's UTF-8 bytes.
    ///
    /// Complexity: O(n).
    public static func of(_ text: String) -> UInt64 {
        SeededRandom.mix(absorb(text, into: 0xcbf2_9ce4_8422_2325))
    }

    /// The hash of bytes.
    ///
    /// Complexity: O(n).
    public static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
        SeededRandom.mix(absorb(bytes, into: 0xcbf2_9ce4_8422_2325))
    }

    /// The hash of an instance's id.
    public static func of(_ id: InstanceID) -> UInt64 {
        let node = absorb(id.node, into: 0xcbf2_9ce4_8422_2325)
        // A byte that UTF-8 never contains keeps "ab" + "c" apart from "a" + "bc".
        let separated = (node ^ 0xff) &* 0x0000_0100_0000_01b3
        return SeededRandom.mix(absorb(id.serviceID, into: separated))
    }

    /// A further hash that is independent of the first for each `number`.
    @inline(__always)
    static func combine(_ hash: UInt64, _ number: UInt64) -> UInt64 {
        SeededRandom.mix(hash ^ SeededRandom.mix(number &* SeededRandom.step &+ 1))
    }

    private static func absorb(_ text: String, into state: UInt64) -> UInt64 {
        absorb(text.utf8, into: state)
    }

    @inline(__always)
    private static func absorb(_ bytes: some Sequence<UInt8>, into state: UInt64) -> UInt64 {
        var state = state
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return state
    }
}
