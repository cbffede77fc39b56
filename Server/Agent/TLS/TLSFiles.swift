import Model
import NIOSSL
import RPC

/// The certificates and the key that a configuration names.
struct TLSFiles: Sendable {
    /// What this agent shows of itself.
    struct Own: Sendable {
        /// This agent's certificate, then those of the authorities between it and the root.
        ///
        /// Invariant: not empty.
        var chain: [NIOSSLCertificate]
        var key: NIOSSLPrivateKey
    }

    /// Nil when no certificate is given.
    var own: Own?
    /// Whose signature counts; empty when none are given.
    var authorities: [NIOSSLCertificate]

    // MARK: Reading

    /// Reads the files; throws what is wrong with one of them, and what to do about it.
    static func load(
        _ settings: TLSSettings,
        limits: AgentLimits
    ) throws(StartError) -> TLSFiles {
        var files = TLSFiles(own: nil, authorities: [])
        files.own = try own(settings, limits)
        if !settings.authorityFile.isEmpty {
            files.authorities = try certificates("ca_file", settings.authorityFile, limits)
        } else if !settings.authorityPath.isEmpty {
            files.authorities = try directory(settings.authorityPath, limits)
        }
        return files
    }

    private static func own(
        _ settings: TLSSettings,
        _ limits: AgentLimits
    ) throws(StartError) -> Own? {
        let (file, keyFile) = (settings.certificateFile, settings.keyFile)
        guard !file.isEmpty || !keyFile.isEmpty else { return nil }
        let pair = "Failed to load cert/key pair: "
        guard !file.isEmpty, !keyFile.isEmpty else {
            let (given, missing) =
                file.isEmpty ? ("key_file", "cert_file") : ("cert_file", "key_file")
            throw StartError("\(pair)\(given) is set and \(missing) is not: set both or neither")
        }
        let chain: [NIOSSLCertificate]
        do throws(StartError) {
            chain = try certificates("cert_file", file, limits)
        } catch {
            throw StartError(pair + error.description)
        }
        let text = try bytes("key_file", keyFile, limits, pair)
        do {
            return Own(chain: chain, key: try NIOSSLPrivateKey(bytes: text, format: .pem))
        } catch {
            throw StartError(
                "\(pair)key_file: \(keyFile) holds no private key in PEM, or one that needs a "
                    + "passphrase: give the key that was made with \(file), without a passphrase"
            )
        }
    }

    /// Every file of a directory and of those below it.
    ///
    /// - Source: Consul: docs/agent/options `ca_path`.
    private static func directory(
        _ path: String,
        _ limits: AgentLimits
    ) throws(StartError) -> [NIOSSLCertificate] {
        guard FileSystem.isDirectory(path) else {
            throw StartError("ca_path: \(path) is no directory: give one of PEM files")
        }
        var found: [NIOSSLCertificate] = []
        var paths = [path]
        var count = 0
        while let next = paths.popLast() {
            guard FileSystem.isDirectory(next) else {
                count += 1
                guard count <= limits.authorityFiles else {
                    throw StartError("ca_path: more than \(limits.authorityFiles) files")
                }
                found += try certificates("ca_path", next, limits)
                continue
            }
            do throws(StorageError) {
                paths += try FileSystem.list(next).map { "\(next)/\($0)" }
            } catch {
                throw StartError("ca_path: \(error.description)")
            }
        }
        guard !found.isEmpty else {
            throw StartError("Error loading from CAPath: no CAs found in \(path)")
        }
        return found
    }

    private static func certificates(
        _ option: String,
        _ path: String,
        _ limits: AgentLimits
    ) throws(StartError) -> [NIOSSLCertificate] {
        let text = try bytes(option, path, limits)
        // An error means the same as none.
        let found = (try? NIOSSLCertificate.fromPEMBytes(text)) ?? []
        guard !found.isEmpty else {
            throw StartError("\(option): \(path) holds no certificate in PEM")
        }
        return found
    }

    private static func bytes(
        _ option: String,
        _ path: String,
        _ limits: AgentLimits,
        _ prefix: String = ""
    ) throws(StartError) -> [UInt8] {
        do throws(StorageError) {
            return try FileSystem.read(path, limit: limits.certificateFileBytes)
        } catch {
            throw StartError("\(prefix)\(option): \(error.description)")
        }
    }

    // MARK: Judging

    static func mismatch(_ settings: TLSSettings) -> String {
        "Failed to load cert/key pair: private key does not match public key: key_file "
            + "\(settings.keyFile) is not the key of cert_file \(settings.certificateFile): "
            + "give the one that was made with it"
    }

    /// Refuses what is not valid now: nobody would accept it.
    func checkDates(_ settings: TLSSettings, now: Timestamp) throws(StartError) {
        let second = Int(now.nanosecondsSinceEpoch / 1_000_000_000)
        if let own, let problem = Self.problem(own.chain[0], at: second) {
            throw StartError(
                "cert_file: \(settings.certificateFile) \(problem): replace it and key_file by a "
                    + "new pair, or see to the clock of this machine"
            )
        }
        let problems = authorities.compactMap { Self.problem($0, at: second) }
        guard let first = problems.first, problems.count == authorities.count else { return }
        let (option, path) =
            settings.authorityFile.isEmpty
            ? ("ca_path", settings.authorityPath) : ("ca_file", settings.authorityFile)
        throw StartError(
            "\(option): every authority of \(path) \(first): replace it by a new one, or see to "
                + "the clock of this machine"
        )
    }

    private static func problem(_ certificate: NIOSSLCertificate, at second: Int) -> String? {
        if certificate.notValidAfter < second {
            return "has expired on \(day(certificate.notValidAfter))"
        }
        if certificate.notValidBefore > second {
            return "is not valid before \(day(certificate.notValidBefore))"
        }
        return nil
    }

    private static func day(_ second: Int) -> String {
        let nanoseconds = UInt64(max(0, second)) * 1_000_000_000
        return HostReport.timestamp(Timestamp(nanosecondsSinceEpoch: nanoseconds))
    }

    /// How long before its end a certificate is spoken of.
    private static let noticeDays = 30

    func warnings(_ settings: TLSSettings, now: Timestamp) -> [String] {
        guard let own else { return [] }
        var found: [String] = []
        let second = Int(now.nanosecondsSinceEpoch / 1_000_000_000)
        let end = own.chain[0].notValidAfter
        if end - second < Self.noticeDays * 86_400 {
            found.append(
                "cert_file \(settings.certificateFile) expires on \(Self.day(end)): replace it, "
                    + "then reload this agent"
            )
        }
        if settings.verifiesServerHostname, !own.chain[0].names(settings.serverHostname) {
            found.append(
                "cert_file \(settings.certificateFile) is not for \(settings.serverHostname): "
                    + "servers with verify_server_hostname, as this one, will refuse this server"
            )
        }
        return found
    }
}
