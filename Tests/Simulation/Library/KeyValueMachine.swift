package import Model
package import Raft

/// What a client asks of the replicated store.
package struct Operation: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case put(UInt64)
        /// Sets the value if the present one is `expected`; 0 stands for "none".
        case compareAndSet(expected: UInt64, new: UInt64)
        case get(ReadMode)
    }

    /// Never used again.
    package var id: UInt64
    package var key: UInt8
    package var kind: Kind

    package init(id: UInt64, key: UInt8, kind: Kind) {
        self.id = id
        self.key = key
        self.kind = kind
    }

    package var isRead: Bool {
        if case .get = kind { return true }
        return false
    }

    /// The command: kind, key, three numbers, and filling of `padding` bytes.
    package func payload(padding: Int) -> [UInt8] {
        var numbers: [UInt64] = [id]
        var code: UInt8 = 0
        switch kind {
        case .put(let value): numbers += [value, 0]
        case .compareAndSet(let expected, let new):
            code = 1
            numbers += [new, expected]
        case .get: code = 2
        }
        var bytes: [UInt8] = [code, key]
        for number in numbers {
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
            }
        }
        return bytes + [UInt8](repeating: 0, count: padding)
    }

    /// Reads a command back; nil when it is none of ours.
    package init?(payload: [UInt8]) {
        guard payload.count >= 26, payload[0] < 2 else { return nil }
        var numbers: [UInt64] = [0, 0, 0]
        for (offset, byte) in payload[2..<26].enumerated() {
            numbers[offset / 8] |= UInt64(byte) << UInt64(8 * (offset % 8))
        }
        let kind: Kind =
            payload[0] == 0
            ? .put(numbers[1]) : .compareAndSet(expected: numbers[2], new: numbers[1])
        self.init(id: numbers[0], key: payload[1], kind: kind)
    }
}

/// The state machine: a few keys with numbers, and a hash of everything that happened.
package struct KeyValueMachine: Hashable, Sendable {
    package private(set) var values: [UInt8: UInt64] = [:]
    /// The last entry that was applied.
    package private(set) var applied = LogIndex.zero
    /// Equal on two servers with equal `applied`, or they have diverged.
    package private(set) var digest = Digest()

    package init() {}

    package func value(_ key: UInt8) -> UInt64 {
        values[key] ?? 0
    }

    /// Takes in the next entry without looking at what it says.
    mutating func pass(_ entry: Entry) {
        applied = entry.index
        digest.mix(entry.index.rawValue)
        digest.mix(entry.term.rawValue)
    }

    /// Applies the next entry; returns the operation and whether it took effect.
    @discardableResult
    package mutating func apply(_ entry: Entry, salt: UInt64 = 0) -> (Operation, Bool)? {
        applied = entry.index
        digest.mix(entry.index.rawValue)
        digest.mix(entry.term.rawValue)
        guard case .command(let payload) = entry.body, let operation = Operation(payload: payload)
        else { return nil }
        digest.mix(operation.id &+ salt)
        switch operation.kind {
        case .put(let value): values[operation.key] = value
        case .compareAndSet(let expected, let new):
            guard value(operation.key) == expected else { return (operation, false) }
            values[operation.key] = new
        case .get: return nil
        }
        digest.mix(value(operation.key))
        return (operation, true)
    }
}

/// A running hash that is the same in every process, unlike the standard library's.
package struct Digest: Hashable, Sendable {
    package private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    package init() {}

    package mutating func mix(_ number: UInt64) {
        value = (value ^ number) &* 0x0000_0100_0000_01B3
        value ^= value >> 29
    }
}
