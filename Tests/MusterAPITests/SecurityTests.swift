import MusterAPI
import MusterTesting
import Testing

/// TLS with certificates from files, over real connections; tokens from files.
@Suite(.timeLimit(.minutes(3))) struct SecurityTests {
    private func leader(
        _ registry: SecureRegistry,
        host: String = "127.0.0.1",
        _ configure: (inout ClientConfiguration) -> Void
    ) async throws -> String {
        var configuration = ClientConfiguration(
            address: .https(host: host, port: registry.port)
        )
        configuration.retries = .off
        configure(&configuration)
        let client = try MusterClient(configuration: configuration)
        do {
            let leader = try await client.status.leader()
            try await client.shutdown()
            return leader
        } catch {
            try await client.shutdown()
            throw error
        }
    }

    private func withFiles(_ body: (TemporaryFiles) async throws -> Void) async throws {
        let files = try TemporaryFiles([
            "authority.pem": TestCertificates.authority,
            "other.pem": TestCertificates.otherAuthority,
            "client.pem": TestCertificates.client, "client.key": TestCertificates.clientKey,
            "empty.pem": "",
        ])
        defer { files.remove() }
        try await body(files)
    }

    @Test func aServerOfATrustedAuthorityIsTalkedToByItsName() async throws {
        try await withFiles { files in
            let registry = try await SecureRegistry.start()
            let byHost = try await leader(registry, host: "localhost") {
                $0.tls.authorityFile = files.path("authority.pem")
            }
            #expect(byHost == "10.0.0.1:8300")
            // The certificate has no address in it: the name to expect is given.
            let byName = try await leader(registry) {
                $0.tls.authorityFile = files.path("authority.pem")
                $0.tls.serverName = "registry.internal"
            }
            #expect(byName == "10.0.0.1:8300")
            try await registry.stop()
        }
    }

    @Test func aDirectoryOfAuthoritiesIsReadWhole() async throws {
        try await withFiles { files in
            let registry = try await SecureRegistry.start()
            let directory = try TemporaryFiles([
                "a.pem": TestCertificates.otherAuthority, "b.crt": TestCertificates.authority,
            ])
            defer { directory.remove() }
            let leader = try await leader(registry, host: "localhost") {
                $0.tls.authorityDirectory = directory.directory
            }
            #expect(leader == "10.0.0.1:8300")
            try await registry.stop()
        }
    }

    @Test func aServerThatIsNotTrustedIsRefusedWithTheRemedy() async throws {
        try await withFiles { files in
            let registry = try await SecureRegistry.start()
            let cases: [(inout ClientConfiguration) -> Void] = [
                { _ in },
                { $0.tls.authorityFile = files.path("other.pem") },
                {
                    $0.tls.authorityFile = files.path("authority.pem")
                    $0.tls.serverName = "somebody.else"
                },
                // By its address, for which the certificate does not speak.
                { $0.tls.authorityFile = files.path("authority.pem") },
            ]
            for configure in cases {
                let error = await #expect(throws: MusterError.self) {
                    _ = try await leader(registry, configure)
                }
                #expect(error?.code == .untrusted)
                #expect(error?.remedy.contains("CONSUL_CACERT") == true)
            }
            try await registry.stop()
        }
    }

    @Test func verificationCanBeSwitchedOff() async throws {
        let registry = try await SecureRegistry.start()
        let leader = try await leader(registry) { $0.tls.verifies = false }
        #expect(leader == "10.0.0.1:8300")
        try await registry.stop()
    }

    @Test func aServerThatWantsACertificateGetsTheClients() async throws {
        try await withFiles { files in
            let registry = try await SecureRegistry.start(wantsClientCertificate: true)
            let trusted = try await leader(registry, host: "localhost") {
                $0.tls.authorityFile = files.path("authority.pem")
                $0.tls.certificateFile = files.path("client.pem")
                $0.tls.keyFile = files.path("client.key")
            }
            #expect(trusted == "10.0.0.1:8300")
            await #expect(throws: MusterError.self) {
                _ = try await leader(registry, host: "localhost") {
                    $0.tls.authorityFile = files.path("authority.pem")
                }
            }
            try await registry.stop()
        }
    }

    @Test func filesThatCannotBeUsedAreNamedBeforeAnythingIsSent() async throws {
        try await withFiles { files in
            let cases: [(String, (inout ClientConfiguration) -> Void)] = [
                ("nowhere.pem", { $0.tls.authorityFile = files.path("nowhere.pem") }),
                ("empty.pem", { $0.tls.authorityFile = files.path("empty.pem") }),
                ("nowhere", { $0.tls.authorityDirectory = files.path("nowhere") }),
                ("its key", { $0.tls.certificateFile = files.path("client.pem") }),
                ("its certificate", { $0.tls.keyFile = files.path("client.key") }),
                (
                    "authority.pem",
                    {
                        $0.tls.certificateFile = files.path("client.pem")
                        $0.tls.keyFile = files.path("authority.pem")
                    }
                ),
            ]
            for (words, configure) in cases {
                var configuration = ClientConfiguration(address: .https(host: "localhost"))
                configure(&configuration)
                let error = #expect(throws: MusterError.self) {
                    _ = try MusterClient(configuration: configuration)
                }
                #expect(error?.code == .invalidConfiguration)
                #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            }
        }
    }

    // MARK: Tokens

    @Test func aRotatedTokenFileIsReadAgainAndTheRequestSentOnceMore() async throws {
        let files = try TemporaryFiles(["token": "  old\n"])
        defer { files.remove() }
        try await withRegistry({
            $0.tokenFile = files.path("token")
            $0.token = "the file wins"
        }) { registry, client in
            registry.answer("/v1/agent/reload") { request in
                ScriptedReply(request.header("X-Consul-Token") == "new" ? 200 : 403, "no")
            }
            let error = await #expect(throws: MusterError.self) { try await client.agent.reload() }
            #expect(error?.code == .forbidden)
            try files.write("token", "new")
            try await client.agent.reload()
        }
    }

    @Test func aTokenOfTheRequestIsNotReplacedByTheFiles() async throws {
        let files = try TemporaryFiles(["token": "file"])
        defer { files.remove() }
        try await withRegistry({ $0.tokenFile = files.path("token") }) { registry, client in
            let answer = Task {
                try await client.catalog.nodes(options: QueryOptions(token: "mine"))
            }
            let request = await registry.next("/v1/catalog/nodes")
            #expect(request.header("X-Consul-Token") == "mine")
            request.answer(403, "no")
            await #expect(throws: MusterError.self) { _ = try await answer.value }
            #expect(registry.unclaimed == 0)
        }
    }
}
