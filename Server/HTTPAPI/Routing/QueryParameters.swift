/// The query part of a request's target, in its order; names may repeat.
///
/// Pairs are separated by `&` or `;`; a pair with a broken escape is left out, as Consul does.
/// - Source: Go net/url ParseQuery, as of Consul 1.8.7.
package struct QueryParameters: Sendable {
    /// True when a pair was left out.
    package private(set) var isBroken = false
    package private(set) var pairs: [(name: String, value: String)] = []

    package init() {}

    package init(parsing text: Substring.UTF8View) {
        guard !text.isEmpty else { return }
        for piece in text.split(whereSeparator: {
            $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: ";")
        }) {
            let equals = piece.firstIndex(of: UInt8(ascii: "="))
            let rawName = piece[..<(equals ?? piece.endIndex)]
            let rawValue =
                equals.map { piece[piece.index(after: $0)...] } ?? piece[piece.endIndex...]
            guard let name = PercentCoding.decode(rawName, plusIsSpace: true),
                let value = PercentCoding.decode(rawValue, plusIsSpace: true)
            else {
                isBroken = true
                continue
            }
            pairs.append((name, value))
        }
    }

    /// The first value of `name`, or nil when it is not there.
    package subscript(_ name: String) -> String? {
        for pair in pairs where pair.name == name {
            return pair.value
        }
        return nil
    }

    /// Whether `name` is there, with or without a value.
    package func contains(_ name: String) -> Bool {
        self[name] != nil
    }

    /// Every value of `name`, in order.
    package func all(_ name: String) -> [String] {
        pairs.lazy.filter { $0.name == name }.map(\.value)
    }

    /// Whether the query of a target names `name`, without reading the rest of it.
    static func mentions(_ name: StaticString, in target: String) -> Bool {
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return false }
        let query = target.utf8[target.utf8.index(after: mark)...]
        return name.withUTF8Buffer { name in
            query.split { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: ";") }.contains { pair in
                pair.prefix { $0 != UInt8(ascii: "=") }.elementsEqual(name)
            }
        }
    }
}
