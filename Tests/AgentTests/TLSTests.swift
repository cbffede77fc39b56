import Glibc
import Model
import RPC
import TLSSupport
import Testing

@testable import Agent

@Suite struct TLSTests {
    /// A directory with two certificates and their keys, and a file that is none.
    private final class Files {
        let directory = "/tmp/muster-tls-tests-\(UUIDs.random())"
        private let texts = [
            "server.pem": TestCertificate.server.certificate,
            "server-key.pem": TestCertificate.server.key,
            "localhost.pem": TestCertificate.localhost.certificate,
            "localhost-key.pem": TestCertificate.localhost.key,
            "text.pem": "no certificate\n",
        ]

        init() throws {
            try FileSystem.makeDirectory("\(directory)/empty")
            try FileSystem.makeDirectory("\(directory)/authorities/more")
            for (name, text) in texts { try write(text, to: name) }
            try write(TestCertificate.server.certificate, to: "authorities/a.pem")
            try write(TestCertificate.localhost.certificate, to: "authorities/more/b.pem")
        }

        private func write(_ text: String, to name: String) throws {
            try FileSystem.replace(path(name), with: Array(text.utf8), isDurable: false)
        }

        func path(_ name: String) -> String { "\(directory)/\(name)" }

        deinit {
            for name in Array(texts.keys) + ["authorities/a.pem", "authorities/more/b.pem"] {
                unlink(path(name))
            }
            for name in ["empty", "authorities/more", "authorities", ""] { rmdir(path(name)) }
        }
    }

    private let files: Files

    init() throws { files = try Files() }

    private func settings(_ options: String) throws -> TLSSettings {
        try AgentSettings.resolve(["-dev", "-hcl", options]).tls
    }

    private func load(_ settings: TLSSettings, now: Timestamp = Clocks.wall()) throws -> AgentTLS {
        try AgentTLS.load(settings, limits: AgentLimits(), now: now)
    }

    private func complaint(_ settings: TLSSettings, now: Timestamp = Clocks.wall()) -> String {
        do {
            _ = try load(settings, now: now)
            return ""
        } catch {
            return "\(error)"
        }
    }

    /// Settings with the certificate of a server, verified by itself.
    private var good: TLSSettings {
        var settings = TLSSettings()
        settings.certificateFile = files.path("server.pem")
        settings.keyFile = files.path("server-key.pem")
        settings.authorityFile = files.path("server.pem")
        settings.serverHostname = "server.dc1.consul"
        return settings
    }

    private static func year(_ number: Int) -> Timestamp {
        Timestamp(nanosecondsSinceEpoch: UInt64(number - 1970) * 31_556_952 * 1_000_000_000)
    }

    // MARK: Options

    @Test func `Everything incoming is verified by one option, or each kind by its own`() throws {
        let all = try settings(#"{"verify_incoming":true,"verify_incoming_https":false}"#)
        #expect(all.verifiesIncomingRPC && all.verifiesIncomingHTTPS)
        let servers = try settings(#"{"verify_incoming_rpc":true}"#)
        #expect(servers.verifiesIncomingRPC && !servers.verifiesIncomingHTTPS)
        let clients = try settings(#"{"verify_incoming_https":true}"#)
        #expect(!clients.verifiesIncomingRPC && clients.verifiesIncomingHTTPS)
    }

    @Test func `Verifying names is verifying what is dialled`() throws {
        let strict = try settings(
            #"{"verify_server_hostname":true,"datacenter":"east","domain":"example.org."}"#
        )
        #expect(strict.verifiesOutgoing)
        #expect(strict.serverHostname == "server.east.example.org")
        #expect(try settings("{}").serverHostname == "server.dc1.consul")
    }

    @Test func `An unknown version of TLS is refused`() throws {
        #expect(try settings(#"{"tls_min_version":"tls13"}"#).minimumVersion == .tls13)
        #expect(
            throws: StartError(
                "TLSMinVersion: value tls9 not supported, please specify one of "
                    + "[tls10, tls11, tls12, tls13]"
            )
        ) { try settings(#"{"tls_min_version":"tls9"}"#) }
    }

    // MARK: What is made of them

    @Test func `Without options nothing is protected, and with certificates TLS is accepted`()
        throws
    {
        let none = try load(TLSSettings()).security()
        #expect(none.dialling == nil && none.accepting == nil)
        let possible = try load(good).security()
        #expect(possible.dialling == nil)
        #expect(possible.accepting?.isRequired == false)
        #expect(possible.accepting?.clientName == nil)
    }

    @Test func `Each way is protected by its own option`() throws {
        var settings = good
        settings.verifiesOutgoing = true
        let outgoing = try load(settings).security()
        #expect(outgoing.dialling != nil && outgoing.dialling?.serverName == nil)
        #expect(outgoing.accepting?.isRequired == false)
        settings.verifiesServerHostname = true
        let named = try load(settings).security()
        #expect(named.dialling?.serverName == "server.dc1.consul")
        #expect(named.accepting?.clientName == nil)
        settings.verifiesIncomingRPC = true
        let both = try load(settings).security()
        #expect(both.accepting?.isRequired == true)
        #expect(both.accepting?.clientName == "server.dc1.consul")
    }

    // MARK: Files

    @Test func `A verification without what it needs is refused in Consul's words`() {
        var settings = TLSSettings()
        settings.verifiesOutgoing = true
        #expect(complaint(settings) == "VerifyOutgoing set, and no CA certificate provided!")
        settings = TLSSettings()
        settings.verifiesIncomingRPC = true
        #expect(complaint(settings) == "VerifyIncoming set but no CA certificates were provided")
        settings.authorityFile = files.path("server.pem")
        #expect(complaint(settings).hasPrefix("VerifyIncoming requires a Cert and Key pair"))
    }

    @Test func `Files that are missing, or hold something else, are named`() {
        var settings = good
        let (missing, text) = (files.path("nowhere.pem"), files.path("text.pem"))
        settings.authorityFile = missing
        #expect(complaint(settings).hasPrefix("ca_file: open \(missing): No such file"))
        settings.authorityFile = text
        #expect(complaint(settings) == "ca_file: \(text) holds no certificate in PEM")
        settings = good
        settings.certificateFile = files.path("nowhere.pem")
        #expect(complaint(settings).hasPrefix("Failed to load cert/key pair: cert_file: open "))
        settings = good
        settings.keyFile = files.path("text.pem")
        #expect(complaint(settings).contains("key_file: \(settings.keyFile) holds no private key"))
        settings.keyFile = ""
        #expect(complaint(settings).contains("cert_file is set and key_file is not"))
    }

    @Test func `A key of another certificate is refused`() {
        var settings = good
        settings.keyFile = files.path("localhost-key.pem")
        let text = complaint(settings)
        #expect(text.contains("private key does not match public key"))
        #expect(text.contains("\(settings.keyFile) is not the key of cert_file"))
    }

    @Test func `Certificates that are not valid now are refused, with the day`() {
        let late = complaint(good, now: Self.year(2200))
        #expect(late.hasPrefix("cert_file: \(files.path("server.pem")) has expired on 2126-"))
        let early = complaint(good, now: Self.year(2020))
        #expect(early.hasPrefix("cert_file: \(files.path("server.pem")) is not valid before 2026-"))
        var authority = TLSSettings()
        authority.authorityFile = files.path("server.pem")
        let old = complaint(authority, now: Self.year(2200))
        #expect(old.hasPrefix("ca_file: every authority of \(authority.authorityFile) has expired"))
    }

    @Test func `Authorities may lie in a directory and below it`() throws {
        var settings = TLSSettings()
        settings.verifiesOutgoing = true
        settings.authorityPath = files.path("authorities")
        #expect(try load(settings).certificates.authorities.count == 2)
        settings.authorityPath = files.path("empty")
        #expect(complaint(settings).hasPrefix("Error loading from CAPath: no CAs found"))
        settings.authorityPath = files.path("nowhere")
        #expect(complaint(settings).contains("is no directory"))
        settings.authorityPath = files.path("")
        #expect(complaint(settings).contains("holds no certificate in PEM"))
    }

    @Test func `What will not work, or not for long, is warned of`() throws {
        #expect(try load(good).warnings.isEmpty)
        var settings = good
        settings.verifiesServerHostname = true
        settings.serverHostname = "server.east.consul"
        #expect(try load(settings).warnings.first?.contains("not for server.east.consul") == true)
        let soon = Timestamp(nanosecondsSinceEpoch: 4_948_000_000 * 1_000_000_000)
        #expect(try load(good, now: soon).warnings.first?.contains("expires on 2126-10-28") == true)
    }
}
