import Configuration

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// How the bytes of a key are read as the types that configuration has.
struct ValueDecoding: Sendable {
    /// What separates the elements of a list.
    let separator: Character

    /// Reads bytes as a type; nil when they are something else.
    ///
    /// Numbers and truth values may have white space around them, since people write keys with
    /// tools that add a line's end. Texts and bytes are taken as they are.
    func decode(_ bytes: [UInt8], as type: ConfigType) -> ConfigContent? {
        if type == .bytes { return .bytes(bytes) }
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        switch type {
        case .string: return .string(text)
        case .int: return Int(Self.trim(text)).map { .int($0) }
        case .double: return Double(Self.trim(text)).map { .double($0) }
        case .bool: return Self.bool(Self.trim(text)).map { .bool($0) }
        case .bytes: return .bytes(bytes)
        case .stringArray: return .stringArray(elements(text))
        case .intArray: return all(text) { Int($0) }.map { .intArray($0) }
        case .doubleArray: return all(text) { Double($0) }.map { .doubleArray($0) }
        case .boolArray: return all(text) { Self.bool($0) }.map { .boolArray($0) }
        case .byteChunkArray:
            return all(text) { Data(base64Encoded: $0).map { [UInt8]($0) } }
                .map { .byteChunkArray($0) }
        }
    }

    private func all<Element>(_ text: String, _ read: (String) -> Element?) -> [Element]? {
        var list: [Element] = []
        for element in elements(text) {
            guard let value = read(element) else { return nil }
            list.append(value)
        }
        return list
    }

    /// The elements without white space around them; an empty text has none.
    private func elements(_ text: String) -> [String] {
        guard !Self.trim(text).isEmpty else { return [] }
        return text.split(separator: separator, omittingEmptySubsequences: false)
            .map { Self.trim(String($0)) }
    }

    static func trim(_ text: String) -> String {
        let start = text.drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }

    /// Reads what people write for yes and no.
    static func bool(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "t", "yes", "1": true
        case "false", "f", "no", "0": false
        default: nil
        }
    }
}
