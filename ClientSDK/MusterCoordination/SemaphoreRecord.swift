import FoundationEssentials
import MusterAPI

/// Who holds a semaphore, as it stands in the key `<prefix>/.lock`.
///
/// `{"Limit":2,"Holders":{"<session>":true}}`
///
/// - Source: Consul: "Semaphore"; the Go client writes and reads the same.
struct SemaphoreRecord: Codable, Hashable {
    /// How many may hold it.
    var limit: Int

    /// The sessions that hold it.
    var holders: Set<String>

    private enum CodingKeys: String, CodingKey {
        case limit = "Limit"
        case holders = "Holders"
    }

    init(limit: Int, holders: Set<String> = []) {
        self.limit = limit
        self.holders = holders
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        limit = try members.decode(Int.self, forKey: .limit)
        // Go writes an empty map as null when there never was one.
        let holders = try members.decodeIfPresent([String: Bool].self, forKey: .holders) ?? [:]
        self.holders = Set(holders.keys)
    }

    func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(limit, forKey: .limit)
        let pairs = holders.map { ($0, true) }
        try members.encode(Dictionary(uniqueKeysWithValues: pairs), forKey: .holders)
    }

    /// Reads a record; throws when the bytes are something else.
    init(bytes: [UInt8]) throws {
        self = try JSONDecoder().decode(SemaphoreRecord.self, from: Data(bytes))
    }

    /// The record's bytes, the same for equal records.
    var bytes: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(self))
        }
    }
}
