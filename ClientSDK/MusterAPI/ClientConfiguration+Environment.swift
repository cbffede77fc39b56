#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension ClientConfiguration {
    /// Reads the variables that Consul's tools read.
    ///
    /// `CONSUL_HTTP_ADDR`, `CONSUL_HTTP_TOKEN`, `CONSUL_HTTP_TOKEN_FILE`, `CONSUL_HTTP_AUTH`,
    /// `CONSUL_HTTP_SSL`, `CONSUL_HTTP_SSL_VERIFY`, `CONSUL_CACERT`, `CONSUL_CAPATH`,
    /// `CONSUL_CLIENT_CERT`, `CONSUL_CLIENT_KEY`, `CONSUL_TLS_SERVER_NAME`. An empty variable
    /// counts as not set. `CONSUL_NAMESPACE` and `CONSUL_PARTITION` belong to Consul Enterprise and
    /// are ignored: without it there is one namespace and one partition.
    ///
    /// - Parameter environment: The variables; nil takes those of this process.
    /// - Returns: A configuration, the default where no variable says otherwise.
    /// - Throws: ``MusterError`` when a variable cannot be understood.
    /// - Source: Consul: "Consul Commands (CLI)", Environment Variables.
    public static func fromEnvironment(
        _ environment: [String: String]? = nil
    ) throws -> ClientConfiguration {
        let environment = environment ?? ProcessInfo.processInfo.environment
        func variable(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        func flag(_ name: String) throws -> Bool? {
            guard let text = variable(name) else { return nil }
            guard let value = parseBool(text) else {
                throw MusterError(
                    code: .invalidConfiguration,
                    message: "\(name) is \"\(text)\", neither true nor false"
                )
            }
            return value
        }
        var configuration = ClientConfiguration()
        if let address = variable("CONSUL_HTTP_ADDR") {
            configuration.address = try RegistryAddress(address)
        }
        if try flag("CONSUL_HTTP_SSL") == true { configuration.address.usesTLS = true }
        configuration.token = variable("CONSUL_HTTP_TOKEN")
        configuration.tokenFile = variable("CONSUL_HTTP_TOKEN_FILE")
        if let pair = variable("CONSUL_HTTP_AUTH") {
            let parts = pair.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            configuration.basicAuthentication = (
                String(parts[0]), parts.count > 1 ? String(parts[1]) : ""
            )
        }
        configuration.tls.authorityFile = variable("CONSUL_CACERT")
        configuration.tls.authorityDirectory = variable("CONSUL_CAPATH")
        configuration.tls.certificateFile = variable("CONSUL_CLIENT_CERT")
        configuration.tls.keyFile = variable("CONSUL_CLIENT_KEY")
        configuration.tls.serverName = variable("CONSUL_TLS_SERVER_NAME")
        configuration.tls.verifies = try flag("CONSUL_HTTP_SSL_VERIFY") ?? true
        return configuration
    }

    /// - Source: Go's `strconv.ParseBool`.
    private static func parseBool(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }

    /// The regular files of a directory, by name.
    ///
    /// - Throws: ``MusterError`` when there is no such directory, or no file in it.
    static func files(in directory: String) throws -> [String] {
        // Why it cannot be read does not change what is to be done about it.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        var isDirectory = false
        let files = names.sorted().map { directory + "/" + $0 }.filter {
            FileManager.default.fileExists(atPath: $0, isDirectory: &isDirectory) && !isDirectory
        }
        guard !files.isEmpty else {
            throw MusterError(
                code: .invalidConfiguration,
                message: "the directory \(directory) has no files that can be read"
            )
        }
        return files
    }

    /// The token in the file at `path`, without surrounding white space.
    static func readToken(at path: String) throws -> String? {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw MusterError(
                code: .invalidConfiguration,
                message: "the token file \(path) cannot be read"
            )
        }
        guard data.count <= Limits.tokenFileBytes else {
            throw MusterError(
                code: .invalidConfiguration,
                message: "the token file \(path) has \(data.count) bytes"
            )
        }
        let text = String(decoding: data, as: UTF8.self)
        let token = text.drop(while: \.isWhitespace)
        let trimmed = token.reversed().drop(while: \.isWhitespace).reversed()
        return trimmed.isEmpty ? nil : String(trimmed)
    }

    /// What an `Authorization` header says for user and password.
    static func basic(user: String, password: String) -> String {
        "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }
}
