import Model

/// The flags of `agent`, parsed as Go's `flag` package does: one dash or two, `-name value` or
/// `-name=value`.
///
/// - Source: Consul: docs/agent/options "Command-line Options"; Go flag.
struct CommandLineFlags: Sendable {
    /// What a flag takes and which option it sets.
    enum Kind: Hashable, Sendable {
        case text
        case number
        case switching
        /// May be given again; the values add up.
        case list
        case pair
        /// A flag of the command line alone.
        case own
    }

    /// In the order given, the paths of `-config-file` and `-config-dir`.
    private(set) var sources: [String] = []
    private(set) var isDevelopment = false
    private(set) var format = ""
    /// Configuration text given with `-hcl`.
    private(set) var fragments: [String] = []
    /// What the flags set, as a layer of configuration.
    private(set) var layer: [String: JSONValue] = [:]

    init(_ arguments: [String]) throws(StartError) {
        var position = 0
        while position < arguments.count {
            let argument = arguments[position]
            position += 1
            guard argument.hasPrefix("-"), argument != "-" else {
                throw StartError("Unexpected extra arguments: [\(argument)]")
            }
            if argument == "--" { continue }
            let body = argument.dropFirst(argument.hasPrefix("--") ? 2 : 1)
            let equals = body.firstIndex(of: "=")
            let name = String(body[..<(equals ?? body.endIndex)])
            var value = equals.map { String(body[body.index(after: $0)...]) }
            guard let flag = Self.flags[name] else {
                throw StartError("flag provided but not defined: -\(name)\n\(Self.usage)")
            }
            let isSwitch = flag.kind == .switching || name == "dev"
            if value == nil, !isSwitch {
                guard position < arguments.count else {
                    throw StartError("flag needs an argument: -\(name)\n\(Self.usage)")
                }
                value = arguments[position]
                position += 1
            }
            try take(name, flag, value ?? "true")
        }
    }

    private mutating func take(
        _ name: String,
        _ flag: (kind: Kind, option: String),
        _ value: String
    ) throws(StartError) {
        switch flag.kind {
        case .text:
            set(flag.option, .string(value))
        case .number:
            guard let number = Int64(value) else {
                throw StartError("invalid value \"\(value)\" for flag -\(name): parse error")
            }
            set(flag.option, .integer(number))
        case .switching:
            set(flag.option, .bool(try Self.bool(value, name)))
        case .list:
            var known: [JSONValue] = []
            if case .array(let values)? = layer[flag.option] { known = values }
            set(flag.option, .array(known + [.string(value)]))
        case .pair:
            guard let colon = value.firstIndex(of: ":") else {
                throw StartError("invalid value \"\(value)\" for flag -\(name): missing ':'")
            }
            var known: [String: JSONValue] = [:]
            if case .object(let pairs)? = layer[flag.option] { known = pairs }
            known[String(value[..<colon])] = .string(String(value[value.index(after: colon)...]))
            set(flag.option, .object(known))
        case .own:
            switch name {
            case "dev": isDevelopment = try Self.bool(value, name)
            case "config-format": format = value
            case "hcl": fragments.append(value)
            default: sources.append(value)
            }
        }
    }

    private static func bool(_ value: String, _ name: String) throws(StartError) -> Bool {
        switch value {
        case "1", "t", "T", "TRUE", "true", "True": return true
        case "0", "f", "F", "FALSE", "false", "False": return false
        default:
            throw StartError("invalid boolean value \"\(value)\" for -\(name): parse error")
        }
    }

    /// Sets an option named with dots.
    private mutating func set(_ option: String, _ value: JSONValue) {
        let parts = option.split(separator: ".").map(String.init)
        guard parts.count == 2 else {
            layer[option] = value
            return
        }
        var inner: [String: JSONValue] = [:]
        if case .object(let known)? = layer[parts[0]] { inner = known }
        inner[parts[1]] = value
        layer[parts[0]] = .object(inner)
    }

    /// Every flag, what it takes, and the option it sets.
    static let flags: [String: (kind: Kind, option: String)] = [
        "advertise": (.text, "advertise_addr"),
        "advertise-wan": (.text, "advertise_addr_wan"),
        "allow-write-http-from": (.list, "http_config.allow_write_http_from"),
        "alt-domain": (.text, "alt_domain"),
        "bind": (.text, "bind_addr"),
        "bootstrap": (.switching, "bootstrap"),
        "bootstrap-expect": (.number, "bootstrap_expect"),
        "check_output_max_size": (.number, "check_output_max_size"),
        "client": (.text, "client_addr"),
        "config-dir": (.own, ""),
        "config-file": (.own, ""),
        "config-format": (.own, ""),
        "data-dir": (.text, "data_dir"),
        "datacenter": (.text, "datacenter"),
        "default-query-time": (.text, "default_query_time"),
        "dev": (.own, ""),
        "disable-host-node-id": (.switching, "disable_host_node_id"),
        "disable-keyring-file": (.switching, "disable_keyring_file"),
        "dns-port": (.number, "ports.dns"),
        "domain": (.text, "domain"),
        "enable-local-script-checks": (.switching, "enable_local_script_checks"),
        "enable-script-checks": (.switching, "enable_script_checks"),
        "encrypt": (.text, "encrypt"),
        "grpc-port": (.number, "ports.grpc"),
        "hcl": (.own, ""),
        "http-port": (.number, "ports.http"),
        "https-port": (.number, "ports.https"),
        "join": (.list, "start_join"),
        "join-wan": (.list, "start_join_wan"),
        "log-file": (.text, "log_file"),
        "log-json": (.switching, "log_json"),
        "log-level": (.text, "log_level"),
        "log-rotate-bytes": (.number, "log_rotate_bytes"),
        "log-rotate-duration": (.text, "log_rotate_duration"),
        "log-rotate-max-files": (.number, "log_rotate_max_files"),
        "max-query-time": (.text, "max_query_time"),
        "node": (.text, "node_name"),
        "node-id": (.text, "node_id"),
        "node-meta": (.pair, "node_meta"),
        "non-voting-server": (.switching, "non_voting_server"),
        "pid-file": (.text, "pid_file"),
        "primary-gateway": (.list, "primary_gateways"),
        "protocol": (.number, "protocol"),
        "raft-protocol": (.number, "raft_protocol"),
        "recursor": (.list, "recursors"),
        "rejoin": (.switching, "rejoin_after_leave"),
        "retry-interval": (.text, "retry_interval"),
        "retry-interval-wan": (.text, "retry_interval_wan"),
        "retry-join": (.list, "retry_join"),
        "retry-join-wan": (.list, "retry_join_wan"),
        "retry-max": (.number, "retry_max"),
        "retry-max-wan": (.number, "retry_max_wan"),
        "segment": (.text, "segment"),
        "serf-lan-allowed-cidrs": (.list, "serf_lan_allowed_cidrs"),
        "serf-lan-bind": (.text, "serf_lan"),
        "serf-lan-port": (.number, "ports.serf_lan"),
        "serf-wan-allowed-cidrs": (.list, "serf_wan_allowed_cidrs"),
        "serf-wan-bind": (.text, "serf_wan"),
        "serf-wan-port": (.number, "ports.serf_wan"),
        "server": (.switching, "server"),
        "server-port": (.number, "ports.server"),
        "syslog": (.switching, "enable_syslog"),
        "ui": (.switching, "ui"),
        "ui-content-path": (.text, "ui_content_path"),
        "ui-dir": (.text, "ui_dir"),
    ]
}
