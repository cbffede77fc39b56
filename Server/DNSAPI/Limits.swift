/// The bounds of the DNS server.
package enum DNSLimits {
    /// Bytes of a name in its wire form; a longer one is malformed.
    ///
    /// - Source: RFC 1035 §2.3.4
    package static let nameBytes = 255
    /// Bytes of one label; a longer one is malformed.
    package static let labelBytes = 63
    /// Compression pointers followed within one name; more are malformed.
    package static let pointers = 126
    /// Bytes of a UDP answer to a client that announced no other size.
    package static let plainUDPBytes = 512
    /// Bytes of a UDP message on the wire, beyond which none can be sent over IPv4.
    package static let datagramBytes = 65_507
    /// Bytes that an answer over TCP may have before records are left out.
    ///
    /// - Source: Consul: 64 KiB less the overhead of a message
    package static let tcpBytes = 65_523
    /// The most records that `udp_answer_limit` can ask for.
    package static let udpAnswers = 8
    /// Records considered for one answer over TCP: more never fit.
    package static let tcpAnswers = 4096
    /// SRV records considered for one answer over TCP: more never fit.
    package static let tcpServiceAnswers = 1024
    /// Records that a CNAME may bring along for a client without EDNS.
    package static let aliasRecords = 5
    /// Names that a chain of CNAME records inside the domain may have; the rest is left out.
    package static let aliasDepth = 3
    /// Servers that an NS answer names.
    package static let nameServers = 3
    /// Queries on one TCP connection; the connection closes after the last one.
    package static let queriesPerConnection = 128
    /// Seconds without a query after which a TCP connection closes.
    ///
    /// - Source: Consul: miekg/dns closes after eight
    package static let idleSeconds: Int64 = 8
    /// Queries of one event loop that wait until the state is known to be current; a further one is
    /// dropped.
    package static let heldQueries = 4096
    /// TCP connections at the same time; further ones are closed at once.
    package static let connections = 1024
    /// TCP connections that wait to be accepted; further ones wait in the network.
    package static let backlog: Int32 = 256
    /// Bytes of a query over UDP; a longer one is not read whole and gets FORMERR.
    package static let queryBytes = 1024
    /// Datagrams that one system call reads.
    package static let datagramsPerRead = 32
    /// Bytes of queries that the kernel keeps for each socket; more are dropped.
    package static let socketBufferBytes = 1 << 20
    /// Bytes of answers that wait to be sent on one UDP socket; queries are dropped while there are
    /// more.
    package static let pendingAnswerBytes = 4 << 20
    /// Bytes of encoded answers that each event loop keeps; all go when there would be more.
    package static let cacheBytes = 1 << 20
}
