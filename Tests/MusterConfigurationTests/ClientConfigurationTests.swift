import Configuration
import MusterAPI
import MusterConfiguration
import Testing

/// How to reach the registry, read from configuration.
@Suite struct ClientConfigurationTests {
    private func read(_ environment: [String: String]) throws -> ClientConfiguration {
        let provider = EnvironmentVariablesProvider(environmentVariables: environment)
        return try ClientConfiguration(config: ConfigReader(provider: provider))
    }

    @Test func theVariablesOfConsulsToolsAreRead() throws {
        let environment = [
            "CONSUL_HTTP_ADDR": "registry.example:8501", "CONSUL_HTTP_TOKEN": "secret",
            "CONSUL_HTTP_TOKEN_FILE": "/token", "CONSUL_HTTP_AUTH": "user:pass:word",
            "CONSUL_HTTP_SSL": "true", "CONSUL_HTTP_SSL_VERIFY": "false",
            "CONSUL_CACERT": "/ca.pem", "CONSUL_CAPATH": "/ca", "CONSUL_CLIENT_CERT": "/c.pem",
            "CONSUL_CLIENT_KEY": "/k.pem", "CONSUL_TLS_SERVER_NAME": "server.dc1.consul",
        ]
        let read = try read(environment)
        // The same as without swift-configuration, member by member.
        let direct = try ClientConfiguration.fromEnvironment(environment)
        #expect(read.address == direct.address)
        #expect(read.address.usesTLS)
        #expect(read.token == "secret")
        #expect(read.tokenFile == "/token")
        #expect(read.basicAuthentication?.user == "user")
        #expect(read.basicAuthentication?.password == "pass:word")
        #expect(read.tls == direct.tls)
        #expect(!read.tls.verifies)
        #expect(read.tls.serverName == "server.dc1.consul")
    }

    @Test func withoutValuesItIsTheDefault() throws {
        let read = try read(["CONSUL_HTTP_ADDR": "", "CONSUL_HTTP_TOKEN": ""])
        #expect(read.address == .local)
        #expect(read.token == nil)
        #expect(read.tls == ClientConfiguration.TLS())
    }

    @Test func aTreeHasSpellingsOfItsOwn() throws {
        let provider = InMemoryProvider(values: [
            "consul.http.sslVerify": false, "consul.http.ssl": true,
            "consul.http.tokenFile": "/token", "consul.tls.serverName": "s",
            "consul.datacenter": "dc2",
        ])
        let read = try ClientConfiguration(config: ConfigReader(provider: provider))
        #expect(read.address.usesTLS)
        #expect(!read.tls.verifies)
        #expect(read.tokenFile == "/token")
        #expect(read.tls.serverName == "s")
        #expect(read.datacenter == "dc2")
    }

    @Test func whatCannotBeUnderstoodIsAnErrorThatNamesTheKey() {
        let flag = #expect(throws: MusterError.self) { try read(["CONSUL_HTTP_SSL": "perhaps"]) }
        #expect(flag?.code == .invalidConfiguration)
        #expect(flag?.message.contains("http.ssl") == true)
        #expect(throws: MusterError.self) { try read(["CONSUL_HTTP_ADDR": "http://"]) }
    }
}
