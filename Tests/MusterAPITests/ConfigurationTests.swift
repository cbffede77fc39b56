import MusterAPI
import Testing

@Suite struct ConfigurationTests {
    @Test(arguments: [
        ("127.0.0.1:8500", "http://127.0.0.1:8500"), ("consul", "http://consul:8500"),
        ("http://a:1", "http://a:1"), ("https://a:1/", "https://a:1"),
        ("[::1]:99", "http://[::1]:99"), ("http://[::1]", "http://[::1]:8500"),
        ("unix:///run/consul.sock", "unix:///run/consul.sock"),
    ])
    func addressesAreReadInEveryFormConsulTakes(_ text: String, _ canonical: String) throws {
        #expect(try RegistryAddress(text).description == canonical)
    }

    @Test(arguments: ["", "unix://", "http://", "a:b", "a:0", "a:70000", "a/b", "a b:1", ":80"])
    func whatIsNoAddressIsRefused(_ text: String) {
        let error = #expect(throws: MusterError.self) { _ = try RegistryAddress(text) }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test func theEnvironmentIsReadAsConsulsToolsReadIt() throws {
        let configuration = try ClientConfiguration.fromEnvironment([
            "CONSUL_HTTP_ADDR": "10.0.0.1:8501", "CONSUL_HTTP_SSL": "true",
            "CONSUL_HTTP_TOKEN": "t", "CONSUL_HTTP_TOKEN_FILE": "/f", "CONSUL_HTTP_AUTH": "u:p:q",
            "CONSUL_HTTP_SSL_VERIFY": "0", "CONSUL_CACERT": "/ca", "CONSUL_CAPATH": "/cas",
            "CONSUL_CLIENT_CERT": "/cert", "CONSUL_CLIENT_KEY": "/key",
            "CONSUL_TLS_SERVER_NAME": "name",
        ])
        #expect(configuration.address == .https(host: "10.0.0.1", port: 8501))
        #expect(configuration.token == "t")
        #expect(configuration.tokenFile == "/f")
        #expect(configuration.basicAuthentication?.user == "u")
        #expect(configuration.basicAuthentication?.password == "p:q")
        #expect(!configuration.tls.verifies)
        #expect(configuration.tls.authorityFile == "/ca")
        #expect(configuration.tls.authorityDirectory == "/cas")
        #expect(configuration.tls.certificateFile == "/cert")
        #expect(configuration.tls.keyFile == "/key")
        #expect(configuration.tls.serverName == "name")
    }

    @Test func anEmptyEnvironmentIsTheLocalAgent() throws {
        let configuration = try ClientConfiguration.fromEnvironment(["CONSUL_HTTP_ADDR": ""])
        #expect(configuration.address == .local)
        #expect(configuration.token == nil)
        #expect(configuration.tls.verifies)
    }

    @Test func aFlagThatIsNeitherTrueNorFalseIsRefused() {
        let error = #expect(throws: MusterError.self) {
            _ = try ClientConfiguration.fromEnvironment(["CONSUL_HTTP_SSL": "maybe"])
        }
        #expect(error?.description.contains("CONSUL_HTTP_SSL") == true)
    }

    @Test func aTokenFileThatIsMissingIsRefusedByName() {
        var configuration = ClientConfiguration()
        configuration.tokenFile = "/nonexistent/token"
        let error = #expect(throws: MusterError.self) {
            _ = try MusterClient(configuration: configuration)
        }
        #expect(error?.message.contains("/nonexistent/token") == true)
    }

    @Test func enterpriseVariablesAreIgnored() throws {
        let configuration = try ClientConfiguration.fromEnvironment([
            "CONSUL_NAMESPACE": "team", "CONSUL_PARTITION": "east",
        ])
        #expect(configuration.address == .local)
        #expect(configuration.datacenter == nil)
    }

    @Test(arguments: [
        ("unix:///run/consul.sock", "unix:///run/consul.sock"),
        ("https://registry:443", "https://registry:443"), ("registry", "http://registry:8500"),
    ])
    func theEnvironmentsAddressHasAllItsForms(_ text: String, _ address: String) throws {
        let configuration = try ClientConfiguration.fromEnvironment(["CONSUL_HTTP_ADDR": text])
        #expect(configuration.address.description == address)
    }

    @Test(arguments: ["tcp://a:1", "ftp://a", "http://a:b", "a:1:2:3/x"])
    func anEnvironmentWithABrokenAddressIsRefused(_ text: String) {
        let error = #expect(throws: MusterError.self) {
            _ = try ClientConfiguration.fromEnvironment(["CONSUL_HTTP_ADDR": text])
        }
        #expect(error?.message.contains(text) == true)
    }

    @Test func addressesAreTriedInTheirOrder() throws {
        var configuration = ClientConfiguration(address: .http(host: "a"))
        #expect(configuration.addresses == [.http(host: "a")])
        configuration.fallbackAddresses = [.https(host: "b"), .unixSocket(path: "/c")]
        #expect(
            configuration.addresses == [
                .http(host: "a"), .https(host: "b"), .unixSocket(path: "/c"),
            ]
        )
    }
}
