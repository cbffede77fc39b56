import Model

extension LocalState {
    /// Sends the HTTP checks of a service through listeners of its proxy.
    ///
    /// Each check gets a port of `exposedPorts` and keeps it while the proxy exposes checks; when
    /// the ports are used up, the remaining checks stay direct.
    /// - Source: Consul: docs/connect/registration/service-registration "Expose Paths".
    mutating func expose(
        checksOf id: String,
        proxy: CatalogService,
        into effects: inout LocalEffects
    ) {
        let host =
            proxy.proxy.localServiceAddress.isEmpty
            ? "127.0.0.1" : proxy.proxy.localServiceAddress
        for entry in checks(ofService: id) where entry.definition?.proxyHTTP.isEmpty == true {
            guard var definition = entry.definition, !definition.http.isEmpty else { continue }
            guard let port = freeExposedPort(),
                let url = Self.redirected(definition.http, host: host, port: port)
            else {
                effects.note(.error, "error rerouting exposed check: check=\(entry.check.id)")
                continue
            }
            definition.proxyHTTP = url
            restart(entry.check.id, with: definition, into: &effects)
        }
    }

    /// Lets the checks go directly again once `proxy` is gone.
    mutating func resetExposure(ofProxy id: String, into effects: inout LocalEffects) {
        guard let proxy = serviceTable[id]?.service, proxy.proxy.expose.checks else { return }
        for entry in checks(ofService: proxy.proxy.destinationServiceID) {
            guard var definition = entry.definition, !definition.proxyHTTP.isEmpty else { continue }
            definition.proxyHTTP = ""
            restart(entry.check.id, with: definition, into: &effects)
        }
    }

    private mutating func restart(
        _ id: String,
        with definition: CheckRegistration,
        into effects: inout LocalEffects
    ) {
        guard let entry = check(id), let kind = definition.kind else { return }
        checkTable[id]?.definition = definition
        effects.start.removeAll { $0.id == id }
        effects.start.append(
            CheckTask(id: id, kind: kind, definition: definition, outputLimit: entry.outputLimit)
        )
    }

    private func freeExposedPort() -> Int? {
        let range = configuration.exposedPorts
        guard !range.isDisabled, range.lowest <= range.highest else { return nil }
        var used: Set<Int> = []
        for entry in checkTable.values where !entry.isDeleted {
            guard let url = entry.definition?.proxyHTTP, let port = Self.port(of: url) else {
                continue
            }
            used.insert(port)
        }
        return (range.lowest...range.highest).first { !used.contains($0) }
    }

    /// `http://1.2.3.4:80/health` with another host and port.
    static func redirected(_ url: String, host: String, port: Int) -> String? {
        guard let authority = authority(of: url) else { return nil }
        return url[..<authority.lowerBound] + "\(host):\(port)" + url[authority.upperBound...]
    }

    private static func port(of url: String) -> Int? {
        guard let range = authority(of: url), let colon = url[range].lastIndex(of: ":") else {
            return nil
        }
        return Int(url[range][url.index(after: colon)...])
    }

    private static func authority(of url: String) -> Range<String.Index>? {
        guard let scheme = url.firstIndex(of: ":"), url[scheme...].hasPrefix("://") else {
            return nil
        }
        let start = url.index(scheme, offsetBy: 3)
        let end = url[start...].firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? url.endIndex
        return start..<end
    }
}
