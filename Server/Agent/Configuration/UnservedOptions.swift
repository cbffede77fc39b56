import Model

/// Options that are taken, because Consul has them, and do nothing yet.
///
/// Most of them are harmless to lack. Those listed here are not: whoever sets one believes that
/// something is protected, kept or joined, so the log says that it is not.
enum UnservedOptions {
    private static let protecting = [
        "acl", "acl_default_policy", "acl_master_token", "auto_encrypt", "encrypt",
        "http_config.allow_write_http_from", "tls_cipher_suites", "tls_prefer_server_cipher_suites",
    ]

    private static let shaping = [
        "connect", "config_entries", "enable_agent_tls_for_checks", "recursors", "retry_join_wan",
        "start_join", "start_join_wan", "watches", "telemetry",
    ]

    /// What Consul keeps for its paying users.
    private static let enterprise = [
        "autopilot.disable_upgrade_migration", "autopilot.redundancy_zone_tag",
        "autopilot.upgrade_version_tag", "non_voting_server",
    ]

    /// One line for each such option that the configuration sets to something.
    static func warnings(_ options: [String: JSONValue]) -> [String] {
        protecting.filter { isSet($0, options) }.map {
            "\($0) is set, and this version does not enforce it: nothing is protected by it"
        }
            + shaping.filter { isSet($0, options) }.map {
                "\($0) is set, and has no effect in this version"
            }
            + enterprise.filter { isSet($0, options) }.map {
                "\"\($0)\" is a Consul Enterprise configuration and will have no effect"
            }
    }

    private static func isSet(_ name: String, _ options: [String: JSONValue]) -> Bool {
        let parts = name.split(separator: ".").map(String.init)
        guard let value = options[parts[0]] else { return false }
        guard parts.count == 1 else {
            guard case .object(let inner) = value else { return false }
            return isSet(parts[1], inner)
        }
        switch value {
        case .null, .bool(false), .string(""), .array([]): return false
        case .object(let inner): return inner["enabled"] != .bool(false) && !inner.isEmpty
        default: return true
        }
    }
}
