import MusterAPI

/// The part of the registry's filter language that an in-memory registry knows.
///
/// Equalities of a service's metadata, joined by `and`: what `ServiceQuery(meta:)` asks for, and
/// what most people write by hand. Anything else is refused rather than misread.
struct InMemoryFilter {
    /// The metadata an instance must have.
    private(set) var meta: [(key: String, value: String)] = []

    /// Reads an expression; an empty one fits everything.
    init(_ text: String) throws {
        var rest = text[...]
        while true {
            Self.skipSpace(&rest)
            if rest.isEmpty, meta.isEmpty { return }
            meta.append(try Self.equality(&rest, of: text))
            Self.skipSpace(&rest)
            if rest.isEmpty { return }
            guard Self.take("and ", from: &rest) else { throw Self.refusal(text) }
        }
    }

    func fits(_ service: AgentService) -> Bool {
        meta.allSatisfy { service.meta[$0.key] == $0.value }
    }

    /// Reads `Service.Meta.key == "value"` or `Service.Meta["key"] == "value"`.
    private static func equality(
        _ rest: inout Substring,
        of text: String
    ) throws -> (key: String, value: String) {
        guard take("Service.Meta", from: &rest) else { throw refusal(text) }
        var key = ""
        if take(".", from: &rest) {
            let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
            key = String(name)
            rest = rest.dropFirst(name.count)
        } else if take("[", from: &rest), let quoted = try quoted(&rest, of: text) {
            key = quoted
            guard take("]", from: &rest) else { throw refusal(text) }
        }
        skipSpace(&rest)
        guard !key.isEmpty, take("==", from: &rest) else { throw refusal(text) }
        skipSpace(&rest)
        guard let value = try quoted(&rest, of: text) else { throw refusal(text) }
        return (key, value)
    }

    /// Reads a text in quotes, nil when there is none.
    private static func quoted(_ rest: inout Substring, of text: String) throws -> String? {
        guard take("\"", from: &rest) else { return nil }
        let inner = rest.prefix { $0 != "\"" }
        rest = rest.dropFirst(inner.count)
        guard take("\"", from: &rest), !inner.contains("\\") else { throw refusal(text) }
        return String(inner)
    }

    private static func take(_ word: String, from rest: inout Substring) -> Bool {
        guard rest.hasPrefix(word) else { return false }
        rest = rest.dropFirst(word.count)
        return true
    }

    private static func skipSpace(_ rest: inout Substring) { rest = rest.drop { $0 == " " } }

    private static func refusal(_ text: String) -> InMemoryRefusal {
        InMemoryRefusal(
            400,
            "the in-memory registry only knows filters like "
                + "Service.Meta.key == \"value\" and …, not: \(text)"
        )
    }
}
