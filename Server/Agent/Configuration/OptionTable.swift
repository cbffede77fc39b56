/// What the value of an option must be.
indirect enum OptionKind: Sendable {
    case text
    case number
    case fraction
    case flag
    case duration
    /// A list of texts; one text stands for a list of one.
    case texts
    /// Names to texts.
    case textMap
    /// Anything; its own reader looks into it.
    case any
    case group([String: OptionKind])
}

/// Every documented option of a configuration file.
///
/// - Source: Consul: docs/agent/options "Configuration Files" of 1.8.7.
enum OptionTable {
    static let root = OptionKind.group(
        identity.merging(addresses) { $1 }
            .merging(behaviour) { $1 }
            .merging(groups) { $1 }
    )

    private static let identity: [String: OptionKind] = [
        "datacenter": .text, "primary_datacenter": .text, "node_name": .text, "node_id": .text,
        "node_meta": .textMap, "disable_host_node_id": .flag, "data_dir": .text,
        "pid_file": .text, "server": .flag, "protocol": .number, "bootstrap": .flag,
        "bootstrap_expect": .number, "non_voting_server": .flag, "segment": .text,
        "domain": .text, "alt_domain": .text, "enable_debug": .flag, "ui": .flag,
        "ui_dir": .text, "ui_content_path": .text, "service": .any, "services": .any,
        "check": .any, "checks": .any, "watches": .any, "license_path": .text,
    ]

    private static let addresses: [String: OptionKind] = [
        "bind_addr": .text, "client_addr": .text, "advertise_addr": .text,
        "advertise_addr_ipv4": .text, "advertise_addr_ipv6": .text,
        "advertise_addr_wan": .text, "advertise_addr_wan_ipv4": .text,
        "advertise_addr_wan_ipv6": .text, "serf_lan": .text, "serf_wan": .text,
        "serf_lan_allowed_cidrs": .texts, "serf_wan_allowed_cidrs": .texts,
        "start_join": .texts, "start_join_wan": .texts, "retry_join": .texts,
        "retry_join_wan": .texts, "retry_interval": .duration, "retry_interval_wan": .duration,
        "retry_max": .number, "retry_max_wan": .number, "rejoin_after_leave": .flag,
        "recursors": .texts, "recursor": .text, "primary_gateways": .texts,
        "primary_gateways_interval": .duration, "translate_wan_addrs": .flag,
        "reconnect_timeout": .duration, "reconnect_timeout_wan": .duration,
        "advertise_reconnect_timeout": .duration,
        "ca_file": .text, "ca_path": .text, "cert_file": .text, "key_file": .text,
        "server_name": .text, "tls_min_version": .text, "tls_cipher_suites": .text,
        "tls_prefer_server_cipher_suites": .flag, "verify_incoming": .flag,
        "verify_incoming_https": .flag, "verify_incoming_rpc": .flag, "verify_outgoing": .flag,
        "verify_server_hostname": .flag, "encrypt": .text, "encrypt_verify_incoming": .flag,
        "encrypt_verify_outgoing": .flag, "disable_keyring_file": .flag,
        "enable_agent_tls_for_checks": .flag,
    ]

    private static let behaviour: [String: OptionKind] = [
        "enable_script_checks": .flag, "enable_local_script_checks": .flag,
        "check_update_interval": .duration, "check_output_max_size": .number,
        "discard_check_output": .flag, "disable_remote_exec": .flag,
        "disable_update_check": .flag, "disable_anonymous_signature": .flag,
        "disable_coordinates": .flag, "disable_http_unprintable_char_filter": .flag,
        "default_query_time": .duration, "max_query_time": .duration,
        "discovery_max_stale": .duration, "session_ttl_min": .duration,
        "leave_on_terminate": .flag, "skip_leave_on_interrupt": .flag,
        "log_level": .text, "log_json": .flag, "log_file": .text, "log_rotate_bytes": .number,
        "log_rotate_duration": .duration, "log_rotate_max_files": .number,
        "enable_syslog": .flag, "syslog_facility": .text, "raft_protocol": .number,
        "raft_snapshot_threshold": .number, "raft_snapshot_interval": .duration,
        "raft_trailing_logs": .number, "acl_agent_master_token": .text,
        "acl_agent_token": .text, "acl_datacenter": .text, "acl_default_policy": .text,
        "acl_down_policy": .text, "acl_enable_key_list_policy": .flag,
        "acl_master_token": .text, "acl_replication_token": .text, "acl_token": .text,
        "acl_ttl": .duration, "enable_acl_replication": .flag,
        "enable_central_service_config": .flag, "http_api_response_headers": .textMap,
        "snapshot_agent": .any, "config_entries": .any, "auto_config": .any, "acl": .any,
        "audit": .any, "rpc": .any, "telemetry": .any, "connect": .any,
    ]

    private static let groups: [String: OptionKind] = [
        "addresses": .group(["dns": .text, "http": .text, "https": .text, "grpc": .text]),
        "ports": .group([
            "dns": .number, "http": .number, "https": .number, "grpc": .number,
            "serf_lan": .number, "serf_wan": .number, "server": .number,
            "sidecar_min_port": .number, "sidecar_max_port": .number,
            "expose_min_port": .number, "expose_max_port": .number,
        ]),
        "unix_sockets": .group(["user": .text, "group": .text, "mode": .text]),
        "dns_config": .group([
            "allow_stale": .flag, "a_record_limit": .number, "disable_compression": .flag,
            "enable_truncate": .flag, "max_stale": .duration, "node_ttl": .duration,
            "only_passing": .flag, "recursor_timeout": .duration, "service_ttl": .textMap,
            "udp_answer_limit": .number, "enable_additional_node_meta_txt": .flag,
            "soa": .group([
                "refresh": .number, "retry": .number, "expire": .number, "min_ttl": .number,
            ]),
            "use_cache": .flag, "cache_max_age": .duration, "prefer_namespace": .flag,
        ]),
        "http_config": .group([
            "block_endpoints": .texts, "response_headers": .textMap,
            "allow_write_http_from": .texts, "use_cache": .flag,
        ]),
        "limits": .group([
            "http_max_conns_per_client": .number, "https_handshake_timeout": .duration,
            "rpc_handshake_timeout": .duration, "rpc_max_conns_per_client": .number,
            "rpc_rate": .fraction, "rpc_max_burst": .number, "kv_max_value_size": .number,
            "txn_max_req_len": .number,
        ]),
        "performance": .group([
            "leave_drain_time": .duration, "raft_multiplier": .number,
            "rpc_hold_timeout": .duration,
        ]),
        "autopilot": .group([
            "cleanup_dead_servers": .flag, "disable_upgrade_migration": .flag,
            "last_contact_threshold": .duration, "max_trailing_logs": .number,
            "min_quorum": .number, "redundancy_zone_tag": .text,
            "server_stabilization_time": .duration, "upgrade_version_tag": .text,
        ]),
        "gossip_lan": .group(gossip), "gossip_wan": .group(gossip),
        "cache": .group(["entry_fetch_max_burst": .number, "entry_fetch_rate": .fraction]),
        "auto_encrypt": .group([
            "tls": .flag, "allow_tls": .flag, "dns_san": .texts, "ip_san": .texts,
        ]),
        "segments": .any,
    ]

    private static let gossip: [String: OptionKind] = [
        "gossip_nodes": .number, "gossip_interval": .duration, "probe_interval": .duration,
        "probe_timeout": .duration, "retransmit_mult": .number, "suspicion_mult": .number,
    ]
}
