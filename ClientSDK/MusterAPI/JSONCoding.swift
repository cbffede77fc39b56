#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Turns bodies into values and back.
enum JSONCoding {
    static func decode<Value: Decodable>(_ type: Value.Type, from body: [UInt8]) throws -> Value {
        try JSONDecoder().decode(type, from: Data(body))
    }

    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return [UInt8](try encoder.encode(value))
    }
}

/// Bytes that JSON carries in base64; `null` and an empty string are no bytes.
struct Base64Bytes: Codable {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        bytes = container.decodeNil() ? [] : [UInt8](try container.decode(Data.self))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Data(bytes))
    }
}

extension KeyedDecodingContainer {
    /// The member's value, or `fallback` when it is missing or `null`.
    ///
    /// Consul's servers write empty lists and maps as `null`, and leave out what is empty.
    func value<Value: Decodable>(_ key: Key, or fallback: Value) throws -> Value {
        try decodeIfPresent(Value.self, forKey: key) ?? fallback
    }

    /// The member's value, nil when it is missing or `null`.
    func optional<Value: Decodable>(_ key: Key) throws -> Value? {
        try decodeIfPresent(Value.self, forKey: key)
    }

    /// The duration at `key`, nil when it is missing or `null`.
    func duration(_ key: Key) throws -> Duration? {
        try decodeIfPresent(GoDuration.self, forKey: key)?.duration
    }

    /// The bytes at `key`, none when it is missing or `null`.
    func bytes(_ key: Key) throws -> [UInt8] {
        try decodeIfPresent(Base64Bytes.self, forKey: key)?.bytes ?? []
    }
}

extension KeyedEncodingContainer {
    /// Writes the member unless it has its default value.
    mutating func encode<Value: Encodable & Equatable>(
        _ value: Value,
        _ key: Key,
        unless fallback: Value
    ) throws {
        if value != fallback { try encode(value, forKey: key) }
    }

    /// Writes a duration unless it is nil.
    mutating func encode(_ duration: Duration?, _ key: Key) throws {
        try encodeIfPresent(duration.map(GoDuration.init), forKey: key)
    }
}
