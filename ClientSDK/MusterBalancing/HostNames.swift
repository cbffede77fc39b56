import Synchronization

/// The host names of endpoints that are not addresses, each kept once for the whole process.
///
/// An endpoint holds the number of its name, so it stays free of references and costs nothing to
/// copy. Names are never dropped; `Limits.hostNames` bounds them.
struct HostNames: ~Copyable {
    private struct State {
        var names: [String] = []
        var numbers: [String: UInt64] = [:]
    }

    static let shared = HostNames()

    private let state = Mutex(State())

    /// The number of `name`, or nil when it is empty, too long, not a name, or the table is full.
    func number(of name: String) -> UInt64? {
        guard Self.isName(name) else { return nil }
        return state.withLock { state in
            if let known = state.numbers[name] { return known }
            guard state.names.count < Limits.hostNames else { return nil }
            let number = UInt64(state.names.count)
            state.names.append(name)
            state.numbers[name] = number
            return number
        }
    }

    /// The name that has `number`.
    func name(of number: UInt64) -> String {
        state.withLock { state in
            number < UInt64(state.names.count) ? state.names[Int(number)] : ""
        }
    }

    /// Whether `name` is made of letters, digits, `-`, `_` and dots only.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= Limits.hostNameBytes
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
