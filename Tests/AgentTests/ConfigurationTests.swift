import DNSAPI
import HTTPAPI
import Model
import Testing

@testable import Agent

@Suite struct ConfigurationTests {
    private func complaint(_ arguments: [String]) -> String? {
        do throws(StartError) {
            _ = try AgentSettings.resolve(arguments)
            return nil
        } catch {
            return error.description
        }
    }

    private func resolve(_ arguments: [String]) throws -> AgentConfiguration {
        try AgentSettings.resolve(arguments)
    }

    @Test func flagsTakeOneDashOrTwoAndAnEqualsSignOrNot() throws {
        for arguments in [
            ["-dev", "-http-port", "9000", "-node", "n"],
            ["--dev", "--http-port=9000", "--node=n"],
            ["-dev=true", "-http-port=9000", "-node", "n"],
        ] {
            let configuration = try resolve(arguments)
            #expect(configuration.isDevelopment)
            #expect(configuration.ports.http == 9000)
            #expect(configuration.nodeName == "n")
        }
    }

    @Test func whatIsAskedForAndNotEnforcedIsSaid() throws {
        #expect(try resolve(["-dev"]).warnings.isEmpty)
        #expect(try resolve(["-dev", "-hcl", #"{"acl":{"enabled":false}}"#]).warnings.isEmpty)
        let guarded = try resolve([
            "-dev", "-hcl", #"{"acl":{"enabled":true}}"#, "-allow-write-http-from", "10.0.0.0/8",
            "-retry-join", "10.1.2.3",
        ])
        #expect(guarded.warnings.count == 2)
        #expect(guarded.warnings.first?.hasPrefix("acl is set") == true)
        let secured = #"{"verify_incoming":true,"verify_outgoing":true,"ca_file":"a"}"#
        #expect(try resolve(["-dev", "-hcl", secured]).warnings.isEmpty)
    }

    @Test func everyDescribedFlagExists() {
        #expect(CommandLineFlags.asksForHelp(["-dev", "-help"]))
        let described = CommandLineFlags.usage.split(separator: "\n").compactMap { line in
            line.hasPrefix("  -") ? line.dropFirst(3).prefix { $0 != "=" } : nil
        }
        for name in described.filter({ !$0.contains(" ") }) {
            #expect(CommandLineFlags.flags[String(name)] != nil, "\(name)")
        }
    }

    @Test func unknownFlagsAreRefusedWithTheUsage() {
        let text = complaint(["-foo"]) ?? ""
        #expect(text.hasPrefix("flag provided but not defined: -foo\nUsage:"))
        #expect(complaint(["-node"])?.hasPrefix("flag needs an argument: -node") == true)
        #expect(
            complaint(["-http-port", "x"])
                == "invalid value \"x\" for flag -http-port: parse error"
        )
        #expect(complaint(["extra"]) == "Unexpected extra arguments: [extra]")
    }

    @Test func anAgentWithoutADataDirectoryIsRefusedUnlessItIsForDevelopment() {
        #expect(complaint([]) == "data_dir cannot be empty")
    }

    @Test func unknownOptionsAreNamedTogether() {
        #expect(
            complaint(["-dev", "-hcl", #"{"foo":1,"ports":{"bar":2}}"#])
                == "failed to parse -hcl: 2 errors occurred:\n"
                + "\t* invalid config key foo\n\t* invalid config key ports.bar\n\n"
        )
    }

    @Test func optionsOfAWrongTypeAreRefused() {
        #expect(
            complaint(["-dev", "-hcl", #"{"ports":{"http":"abc"}}"#])
                == "failed to parse -hcl: 1 error(s) decoding:\n\n"
                + "* 'ports.http' expected type 'int', got unconvertible type 'string'"
        )
        #expect(complaint(["-dev", "-hcl", #"{"ports":"#])?.hasPrefix("failed to parse") == true)
        #expect(complaint(["-dev", "-hcl", #"{"log_level":"foo"}"#])?.contains("foo") == true)
    }

    @Test func laterSourcesWinAndListsGrow() throws {
        let configuration = try resolve([
            "-dev", "-node", "flag",
            "-hcl", #"{"node_name":"a","services":[{"name":"x"}],"node_meta":{"k":"1"}}"#,
            "-hcl", #"{"datacenter":"east","service":{"name":"y"},"node_meta":{"l":"2"}}"#,
        ])
        #expect(configuration.nodeName == "flag")
        #expect(configuration.datacenter == "east")
        #expect(Set(configuration.services.map(\.name)) == ["x", "y"])
        #expect(configuration.nodeMeta == ["k": "1", "l": "2"])
    }

    @Test func definitionsMayBeWrittenInSnakeCaseOrAsTheAPIDoes() throws {
        let configuration = try resolve([
            "-dev", "-hcl",
            #"""
            {"services":[
              {"id":"w1","name":"web","port":80,"enable_tag_override":true,
               "meta":{"my_key":"v"},
               "check":{"id":"c1","http":"http://x/","interval":"10s",
                        "deregister_critical_service_after":"90m","tls_skip_verify":true},
               "connect":{"sidecar_service":{}}},
              {"Name":"db","Checks":[{"CheckID":"c2","TTL":"5s"}]}],
             "check":{"id":"mem","name":"m","args":["true"],"interval":"1s"}}
            """#,
        ])
        let web = try #require(configuration.services.first { $0.name == "web" })
        #expect(web.meta == ["my_key": "v"])
        #expect(web.enableTagOverride)
        #expect(web.check?.id == "c1")
        #expect(web.check?.tlsSkipVerify == true)
        #expect(web.check?.deregisterCriticalServiceAfter == .seconds(5400))
        #expect(web.connect?.sidecarService != nil)
        let database = try #require(configuration.services.first { $0.name == "db" })
        #expect(database.checks.map(\.id) == ["c2"])
        #expect(configuration.checks.map(\.scriptArguments) == [["true"]])
    }

    @Test func aMisspeltDefinitionIsRefused() {
        #expect(
            complaint(["-dev", "-hcl", #"{"service":{"name":"x","nme":1}}"#])
                == "failed to parse service in the configuration: json: unknown field \"nme\""
        )
    }

    @Test func everyDocumentedOptionIsAccepted() throws {
        let configuration = try resolve([
            "-dev", "-hcl",
            #"""
            {"acl":{"enabled":false},"telemetry":{"statsd_address":"x"},"autopilot":
             {"cleanup_dead_servers":true},"performance":{"raft_multiplier":1},
             "limits":{"http_max_conns_per_client":7,"kv_max_value_size":600000},
             "dns_config":{"service_ttl":{"*":"10s"},"node_ttl":"5s","soa":{"min_ttl":3}},
             "unix_sockets":{"mode":"0700"},"addresses":{"http":"127.0.0.1 unix:///tmp/x"},
             "gossip_lan":{"probe_interval":"1s"},"recursors":["8.8.8.8"],"ui":true,
             "http_config":{"response_headers":{"X-A":"b"},"block_endpoints":["/v1/kv"]},
             "check_update_interval":"0s","verify_incoming":false,"retry_join":["a"]}
            """#,
        ])
        #expect(configuration.http.limits.connectionsPerClient == 7)
        #expect(configuration.http.limits.transactionBytes == 600_000)
        #expect(configuration.dns.serviceTTL == ["*": .seconds(10)])
        #expect(configuration.dns.authority.minimum == .seconds(3))
        #expect(configuration.unixSockets.mode == 0o700)
        #expect(configuration.addresses.http == ["127.0.0.1", "unix:///tmp/x"])
        #expect(configuration.checkUpdateInterval == .zero)
        #expect(configuration.http.blockedEndpoints == ["/v1/kv"])
    }

    @Test func identifiersAndAddressesAreChecked() {
        #expect(complaint(["-dev", "-node-id", "x"])?.contains("not a valid UUID") == true)
        #expect(complaint(["-dev", "-bind", "nowhere"])?.contains("not an IP address") == true)
        #expect(complaint(["-dev", "-datacenter", "a b"])?.contains("alphanumeric") == true)
        #expect(complaint(["-dev", "-http-port", "70000"])?.contains("70000") == true)
        #expect(complaint(["-dev", "-client", "{{ GetPrivateIP }}"])?.contains("template") == true)
    }
}
