import Configuration
import MusterAPI

/// The values below a prefix as one answer of the registry had them; it never changes.
struct KeyValueTree: ConfigSnapshot {
    /// How keys are found and values are read.
    struct Rules: Sendable {
        let providerName: String
        /// Empty, or ending in a slash.
        let prefix: String
        let decoding: ValueDecoding
        let secrets: SecretsSpecifier<String, [UInt8]>

        /// The key in the registry: `http.timeout` is `prefix/http/timeout`.
        func path(_ key: AbsoluteConfigKey) -> String {
            prefix + key.components.joined(separator: "/")
        }

        /// Reads the bytes of a key.
        func result(_ bytes: [UInt8]?, _ path: String, _ type: ConfigType) throws -> LookupResult {
            guard let bytes else { return LookupResult(encodedKey: path, value: nil) }
            let isSecret = secrets.isSecret(
                key: String(path.dropFirst(prefix.count)),
                value: bytes
            )
            guard let content = decoding.decode(bytes, as: type) else {
                let text = isSecret ? nil : String(decoding: bytes, as: UTF8.self)
                throw KeyValueConfigError.invalid(path, text, type)
            }
            return LookupResult(
                encodedKey: path,
                value: ConfigValue(content, isSecret: isSecret)
            )
        }
    }

    let rules: Rules
    /// The registry's index of the answer, 0 when there was none yet.
    let index: UInt64
    /// By whole key; folders (keys that end in a slash) are left out.
    let values: [String: [UInt8]]

    init(rules: Rules, index: UInt64 = 0, pairs: [KeyValuePair] = []) {
        self.rules = rules
        self.index = index
        var values: [String: [UInt8]] = [:]
        for pair in pairs where !pair.key.hasSuffix("/") { values[pair.key] = pair.value }
        self.values = values
    }

    var providerName: String { rules.providerName }

    func value(forKey key: AbsoluteConfigKey, type: ConfigType) throws -> LookupResult {
        let path = rules.path(key)
        return try rules.result(values[path], path, type)
    }
}
