import Glibc
import LocalState
import NIOCore
import Wire

/// Fills in what a configuration leaves open, and refuses what cannot work.
enum AgentIdentity {
    static func complete(_ configuration: inout AgentConfiguration) throws(StartError) {
        try validate(configuration)
        if configuration.nodeName.isEmpty { configuration.nodeName = hostName() }
        guard !configuration.nodeName.isEmpty else {
            throw StartError("node_name cannot be empty")
        }
        if !configuration.dataDirectory.isEmpty {
            do throws(StorageError) {
                try FileSystem.makeDirectory(configuration.dataDirectory)
            } catch {
                throw StartError("data_dir: \(error.description)")
            }
        }
        try completeAddresses(&configuration)
        configuration.nodeID = try nodeID(configuration)
    }

    private static func validate(_ configuration: AgentConfiguration) throws(StartError) {
        let datacenter = configuration.datacenter
        guard !datacenter.isEmpty else { throw StartError("datacenter cannot be empty") }
        guard
            datacenter.utf8.allSatisfy({ byte in
                (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x2d
                    || byte == 0x5f
            })
        else {
            throw StartError(
                "datacenter must be alphanumeric with underscores and hyphens only"
            )
        }
        guard configuration.isDevelopment || !configuration.dataDirectory.isEmpty else {
            throw StartError("data_dir cannot be empty")
        }
        guard configuration.isServer else {
            throw StartError(
                "This version runs as a server: start it with -dev, or with -server and one of "
                    + "-bootstrap, -bootstrap-expect and -retry-join"
            )
        }
        if !configuration.nodeID.isEmpty {
            guard UUIDs.isValid(configuration.nodeID) else {
                throw StartError(
                    "node_id: \(GoQuote.quote(configuration.nodeID)) is not a valid UUID"
                )
            }
        }
        let ports = configuration.ports
        for port in [ports.dns, ports.http, ports.https, ports.grpc, ports.server] {
            guard (-1...65_535).contains(port) else {
                throw StartError("ports: invalid port \(port)")
            }
        }
    }

    // MARK: Addresses

    private static func completeAddresses(
        _ configuration: inout AgentConfiguration
    ) throws(StartError) {
        let all =
            configuration.clientAddresses + [
                configuration.bindAddress, configuration.advertiseAddress,
                configuration.advertiseWANAddress,
            ]
        for address in all where address.contains("{{") {
            throw StartError("address templates are not read by this version: \(address)")
        }
        let bind = configuration.bindAddress
        guard bind.isIPv4Literal || bind.isIPv6Literal else {
            throw StartError("bind_addr: not an IP address: \(GoQuote.quote(bind))")
        }
        for (name, address) in [
            ("advertise_addr", configuration.advertiseAddress),
            ("advertise_addr_wan", configuration.advertiseWANAddress),
        ] where !address.isEmpty {
            guard address.isIPv4Literal || address.isIPv6Literal else {
                throw StartError("\(name): invalid ip address: \(address)")
            }
            guard address != "0.0.0.0", address != "::" else {
                throw StartError("Advertise address cannot be 0.0.0.0, :: or [::]")
            }
        }
        if configuration.advertiseAddress.isEmpty {
            let isAny = bind == "0.0.0.0" || bind == "::"
            configuration.advertiseAddress = isAny ? privateAddress() : bind
        }
        if configuration.advertiseWANAddress.isEmpty {
            configuration.advertiseWANAddress = configuration.advertiseAddress
        }
    }

    /// The first private IPv4 address of this machine; loopback when it has none.
    private static func privateAddress() -> String {
        let loopback = "127.0.0.1"
        // Fails only when the machine has no interfaces at all.
        guard let devices = try? System.enumerateDevices() else { return loopback }
        let found = devices.compactMap { $0.address?.ipAddress }.filter(\.isIPv4Literal)
        return found.first { address in
            address.hasPrefix("10.") || address.hasPrefix("192.168.")
                || (16...31).contains { address.hasPrefix("172.\($0).") }
        } ?? loopback
    }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Identifier

    /// The given one, the kept one, or a new one that is kept from now on.
    ///
    /// - Source: Consul: docs/agent/options `node_id`; `node-id` in the data directory.
    private static func nodeID(_ configuration: AgentConfiguration) throws(StartError) -> String {
        let given = configuration.nodeID.lowercased()
        guard !configuration.dataDirectory.isEmpty else {
            return given.isEmpty ? UUIDs.random() : given
        }
        let path = "\(configuration.dataDirectory)/node-id"
        do throws(StorageError) {
            if given.isEmpty, FileSystem.exists(path) {
                let text = String(
                    decoding: try FileSystem.read(path, limit: 4096),
                    as: UTF8.self
                ).filter { !$0.isWhitespace }.lowercased()
                guard UUIDs.isValid(text) else {
                    throw StorageError(
                        "\(path) holds no UUID; remove it to get a new one, or put the old one back"
                    )
                }
                return text
            }
            let chosen = given.isEmpty ? UUIDs.random() : given
            try FileSystem.replace(path, with: Array(chosen.utf8), isDurable: true)
            return chosen
        } catch {
            throw StartError(error.description)
        }
    }
}
