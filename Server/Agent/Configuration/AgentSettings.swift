import DNSAPI
import Glibc
import HTTPAPI
import Logging
import Model
import NIOCore
import Wire

/// From the command line and the files it names to a configuration.
package enum AgentSettings {
    /// Reads everything anew; throws the complaint that a person can act on.
    ///
    /// - Source: Consul: docs/agent/options.
    package static func resolve(_ arguments: [String]) throws(StartError) -> AgentConfiguration {
        let flags = try CommandLineFlags(arguments)
        var layer = ConfigurationLayer(flags.isDevelopment ? development : [:])
        for source in flags.sources {
            for file in try ConfigurationFiles.expand(source, format: flags.format) {
                layer.merge(try ConfigurationFiles.read(file))
            }
        }
        for fragment in flags.fragments {
            layer.merge(try ConfigurationLayer(json: Array(fragment.utf8), source: "-hcl"))
        }
        layer.merge(ConfigurationLayer(flags.layer))
        let reader = ConfigurationReader(layer.values)
        var configuration = AgentConfiguration()
        configuration.isDevelopment = flags.isDevelopment
        configuration.warnings = UnservedOptions.warnings(layer.values)
        configuration.http.prettyByDefault = flags.isDevelopment
        readIdentity(reader, &configuration)
        try readAddresses(reader, &configuration)
        try ClusterSettings.read(reader, into: &configuration)
        try readInterfaces(reader, &configuration)
        try TLSSettings.read(reader, into: &configuration)
        try readProcess(reader, &configuration)
        configuration.services = try Definitions.services(
            reader.list("service") + reader.list("services"),
            source: "the configuration"
        )
        configuration.checks = try Definitions.checks(
            reader.list("check") + reader.list("checks"),
            source: "the configuration"
        )
        try AgentIdentity.complete(&configuration)
        return configuration
    }

    /// What `-dev` changes.
    ///
    /// - Source: Consul: docs/agent/options `-dev`.
    private static let development: [String: JSONValue] = [
        "bind_addr": .string("127.0.0.1"),
        "log_level": .string("DEBUG"),
        "server": .bool(true),
        "ports": .object(["grpc": .integer(8502)]),
    ]

    private static func readIdentity(
        _ reader: ConfigurationReader,
        _ configuration: inout AgentConfiguration
    ) {
        reader.text("node_name", &configuration.nodeName)
        reader.text("node_id", &configuration.nodeID)
        reader.text("datacenter", &configuration.datacenter)
        configuration.datacenter = configuration.datacenter.lowercased()
        configuration.dns.datacenter = configuration.datacenter
        configuration.nodeMeta = reader.textMap("node_meta")
        reader.text("data_dir", &configuration.dataDirectory)
        reader.text("pid_file", &configuration.pidFile)
        reader.flag("server", &configuration.isServer)
        reader.flag("bootstrap", &configuration.isBootstrap)
        reader.flag("enable_script_checks", &configuration.enableScriptChecks)
        reader.flag("enable_local_script_checks", &configuration.enableLocalScriptChecks)
        if configuration.enableScriptChecks { configuration.enableLocalScriptChecks = true }
        reader.flag("discard_check_output", &configuration.discardsCheckOutput)
        reader.flag("disable_coordinates", &configuration.disablesCoordinates)
        reader.number("check_output_max_size", &configuration.checkOutputBytes)
    }

    private static func readAddresses(
        _ reader: ConfigurationReader,
        _ configuration: inout AgentConfiguration
    ) throws(StartError) {
        reader.text("bind_addr", &configuration.bindAddress)
        reader.text("advertise_addr", &configuration.advertiseAddress)
        reader.text("advertise_addr_ipv4", &configuration.advertiseAddress)
        reader.text("advertise_addr_wan", &configuration.advertiseWANAddress)
        if let clients = reader.addresses("client_addr") { configuration.clientAddresses = clients }
        let ports = reader.group("ports")
        ports.number("dns", &configuration.ports.dns)
        ports.number("http", &configuration.ports.http)
        ports.number("https", &configuration.ports.https)
        ports.number("grpc", &configuration.ports.grpc)
        ports.number("serf_lan", &configuration.ports.serfLAN)
        ports.number("serf_wan", &configuration.ports.serfWAN)
        ports.number("server", &configuration.ports.server)
        ports.number("sidecar_min_port", &configuration.ports.sidecarLowest)
        ports.number("sidecar_max_port", &configuration.ports.sidecarHighest)
        ports.number("expose_min_port", &configuration.ports.exposedLowest)
        ports.number("expose_max_port", &configuration.ports.exposedHighest)
        let addresses = reader.group("addresses")
        configuration.addresses.dns = addresses.addresses("dns") ?? []
        configuration.addresses.http = addresses.addresses("http") ?? []
        configuration.addresses.https = addresses.addresses("https") ?? []
        try readSockets(reader.group("unix_sockets"), &configuration)
    }

    private static func readSockets(
        _ reader: ConfigurationReader,
        _ configuration: inout AgentConfiguration
    ) throws(StartError) {
        var mode = ""
        var user = ""
        var group = ""
        reader.text("mode", &mode)
        reader.text("user", &user)
        reader.text("group", &group)
        if !mode.isEmpty {
            guard let bits = UInt32(mode, radix: 8), bits <= 0o7777 else {
                throw StartError("unix_sockets.mode: not an octal mode: \(GoQuote.quote(mode))")
            }
            configuration.unixSockets.mode = bits
        }
        if !user.isEmpty {
            guard let id = UInt32(user) ?? getpwnam(user)?.pointee.pw_uid else {
                throw StartError("unix_sockets.user: unknown user \(user)")
            }
            configuration.unixSockets.user = id
        }
        if !group.isEmpty {
            guard let id = UInt32(group) ?? getgrnam(group)?.pointee.gr_gid else {
                throw StartError("unix_sockets.group: unknown group \(group)")
            }
            configuration.unixSockets.group = id
        }
    }

    private static func readInterfaces(
        _ reader: ConfigurationReader,
        _ configuration: inout AgentConfiguration
    ) throws(StartError) {
        let http = reader.group("http_config")
        configuration.http.blockedEndpoints = http.texts("block_endpoints")
        configuration.http.responseHeaders = http.textMap("response_headers")
            .sorted { $0.key < $1.key }
            .map { (name: $0.key, value: $0.value) }
        reader.flag("translate_wan_addrs", &configuration.http.translatesWANAddresses)
        let limits = reader.group("limits")
        limits.number(
            "http_max_conns_per_client",
            &configuration.http.limits.connectionsPerClient
        )
        limits.number("kv_max_value_size", &configuration.http.limits.keyValueBytes)
        configuration.http.limits.transactionBytes = max(
            configuration.http.limits.transactionBytes,
            configuration.http.limits.keyValueBytes
        )
        limits.number("txn_max_req_len", &configuration.http.limits.transactionBytes)
        var wait = Nanoseconds(
            rawValue: configuration.http.limits.defaultQueryTime.nanoseconds
        )
        try reader.duration("default_query_time", &wait)
        configuration.http.limits.defaultQueryTime = .nanoseconds(wait.rawValue)
        var least = Nanoseconds(
            rawValue: configuration.http.limits.leastSessionTTL.nanoseconds
        )
        try reader.duration("session_ttl_min", &least)
        configuration.http.limits.leastSessionTTL = .nanoseconds(least.rawValue)
        wait = Nanoseconds(rawValue: configuration.http.limits.maximumQueryTime.nanoseconds)
        try reader.duration("max_query_time", &wait)
        configuration.http.limits.maximumQueryTime = .nanoseconds(wait.rawValue)
        try readDNS(reader, &configuration.dns)
    }

    private static func readDNS(
        _ reader: ConfigurationReader,
        _ dns: inout DNSSettings
    ) throws(StartError) {
        dns.domain = try zone("domain", reader) ?? dns.domain
        dns.alternativeDomain = try zone("alt_domain", reader)
        let own = reader.group("dns_config")
        try own.duration("node_ttl", &dns.nodeTTL)
        for (name, text) in own.textMap("service_ttl") {
            guard let ttl = GoDuration.parse(text) else {
                throw StartError("dns_config.service_ttl: invalid duration: \(text)")
            }
            dns.serviceTTL[name] = ttl.duration
        }
        own.flag("allow_stale", &dns.allowsStale)
        try own.duration("max_stale", &dns.maximumStaleness)
        own.flag("enable_truncate", &dns.enableTruncate)
        own.flag("only_passing", &dns.onlyPassing)
        own.flag("disable_compression", &dns.disableCompression)
        own.flag("enable_additional_node_meta_txt", &dns.sendsNodeMetadata)
        own.number("udp_answer_limit", &dns.udpAnswerLimit)
        own.number("a_record_limit", &dns.addressLimit)
        let soa = own.group("soa")
        soa.seconds("refresh", &dns.authority.refresh)
        soa.seconds("retry", &dns.authority.retry)
        soa.seconds("expire", &dns.authority.expire)
        soa.seconds("min_ttl", &dns.authority.minimum)
    }

    private static func zone(
        _ name: String,
        _ reader: ConfigurationReader
    ) throws(StartError) -> DNSName? {
        var text = ""
        reader.text(name, &text)
        guard !text.isEmpty else { return nil }
        guard let zone = DNSName(text.lowercased()) else {
            throw StartError("\(name): not a domain name: \(GoQuote.quote(text))")
        }
        return zone
    }

    private static func readProcess(
        _ reader: ConfigurationReader,
        _ configuration: inout AgentConfiguration
    ) throws(StartError) {
        var level = ""
        reader.text("log_level", &level)
        if !level.isEmpty {
            guard let known = Logger.Level(consulName: level) else {
                throw StartError(
                    "Invalid log level: \(level). Valid log levels are: "
                        + "[TRACE DEBUG INFO WARN ERR ERROR]"
                )
            }
            configuration.logLevel = known
        }
        reader.flag("log_json", &configuration.logsJSON)
        reader.text("log_file", &configuration.logFile)
        try reader.duration("check_update_interval", &configuration.checkUpdateInterval)
        configuration.leavesOnTerminate = !configuration.isServer
        configuration.skipsLeaveOnInterrupt = configuration.isServer
        reader.flag("leave_on_terminate", &configuration.leavesOnTerminate)
        reader.flag("skip_leave_on_interrupt", &configuration.skipsLeaveOnInterrupt)
    }
}
