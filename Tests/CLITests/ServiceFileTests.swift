import Model
import Testing

@testable import CLI

@Suite("Service files")
struct ServiceFileTests {
    @Test("Names in snake case and in the API's form are the same, users' names stay")
    func names() throws {
        let text = #"""
            {"service": {"name": "web", "tagged_addresses": {"lan_x": {"address": "a", "port": 1}},
              "meta": {"a_b": "c"}, "enable_tag_override": true,
              "check": {"id": "c", "args": ["x"], "tls_skip_verify": true, "interval": "10s",
                        "deregister_critical_service_after": "90m", "header": {"X_y": ["z"]}},
              "connect": {"sidecar_service": {"proxy": {"local_service_port": 3}}}},
             "Services": [{"Name": "b", "Checks": [{"TTL": "3s"}]}]}
            """#
        let services = try ServiceFile.parse(Array(text.utf8))
        #expect(services.map(\.name) == ["b", "web"])
        let web = services[1]
        #expect(web.taggedAddresses?["lan_x"]?.port == 1)
        #expect(web.meta == ["a_b": "c"])
        #expect(web.enableTagOverride)
        #expect(web.check?.id == "c")
        #expect(web.check?.scriptArguments == ["x"])
        #expect(web.check?.tlsSkipVerify == true)
        #expect(web.check?.deregisterCriticalServiceAfter == .seconds(5_400))
        #expect(web.check?.header == ["X_y": ["z"]])
        #expect(web.connect?.sidecarService?.value.proxy?.localServicePort == 3)
        #expect(services[0].checks.first?.ttl == .seconds(3))
    }

    @Test(
        "Unknown options are refused by name",
        arguments: [
            (#"{"service": {"name": "x", "bogus": 1}}"#, "service.bogus"),
            (#"{"services": [{"name": "x"}, {"bad": 1}]}"#, "services[1].bad"),
            (#"{"node": {}}"#, "node"),
        ]
    )
    func unknown(text: String, name: String) {
        #expect(throws: UnknownKey(name: name)) { try ServiceFile.parse(Array(text.utf8)) }
    }
}
