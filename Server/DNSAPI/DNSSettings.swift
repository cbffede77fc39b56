package import Model

/// What `dns_config`, `domain` and their neighbours say, with Consul's defaults.
///
/// - Source: Consul: docs/agent/options#dns_config
package struct DNSSettings: Sendable {
    /// The zone that is answered for.
    package var domain = DNSName(unchecked: [6] + Array("consul".utf8) + [0])
    /// A second zone with the same content; nil for none.
    package var alternativeDomain: DNSName?
    package var datacenter = "dc1"
    /// How long an answer about a node may be kept; whole seconds.
    package var nodeTTL = Duration.zero
    /// How long answers about services may be kept: by name, by `prefix*`, or `*` for the rest.
    package var serviceTTL: [String: Duration] = [:]
    package var authority = Authority()
    /// Leaves out instances with a warning as well as critical ones.
    package var onlyPassing = false
    /// Tells a client by the TC bit that there are more records than were sent.
    package var enableTruncate = false
    /// Records in a UDP answer to a client without EDNS; at most ``DNSLimits/udpAnswers`` count.
    package var udpAnswerLimit = 3
    /// Addresses in an answer to A, AAAA or ANY; 0 for no limit.
    package var addressLimit = 0
    package var disableCompression = false
    /// Sends the metadata of nodes as TXT records along with other answers.
    package var sendsNodeMetadata = true
    /// Any server answers from what it has, as long as that is not staler than `maximumStaleness`.
    package var allowsStale = true
    /// Ten years, as in Consul.
    package var maximumStaleness = Nanoseconds.seconds(10 * 365 * 24 * 3600)

    /// The numbers of the SOA record; whole seconds.
    package struct Authority: Sendable {
        package var refresh = Duration.seconds(3600)
        package var retry = Duration.seconds(600)
        package var expire = Duration.seconds(86_400)
        package var minimum = Duration.zero

        package init() {}
    }

    package init() {}

    /// The time that answers about a service may be kept.
    func ttlSeconds(ofService name: String) -> UInt32 {
        if let exact = serviceTTL[name] { return wholeSeconds(exact) }
        var best: (length: Int, ttl: Duration)?
        for (pattern, ttl) in serviceTTL where pattern.hasSuffix("*") {
            let prefix = pattern.dropLast()
            guard name.hasPrefix(prefix), prefix.count >= best?.length ?? 0 else { continue }
            best = (prefix.count, ttl)
        }
        return best.map { wholeSeconds($0.ttl) } ?? 0
    }
}

/// Seconds as a TTL has them.
func wholeSeconds(_ duration: Duration) -> UInt32 {
    UInt32(clamping: duration.components.seconds)
}
