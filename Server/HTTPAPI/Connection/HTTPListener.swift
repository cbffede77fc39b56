package import NIOSSL

/// Where the HTTP API listens.
package enum HTTPListener: Sendable {
    case tcp(host: String, port: Int)
    case tls(host: String, port: Int, NIOSSLContext)
    case unix(path: String, UnixSocketPermissions)
}

/// Who may use a unix socket.
///
/// - Source: Consul: docs/agent/options `unix_sockets`.
package struct UnixSocketPermissions: Sendable {
    /// The file's mode, or nil to leave it as the process creates it.
    package var mode: UInt32?
    /// Numeric owner and group, or nil to leave them.
    package var user: UInt32?
    package var group: UInt32?

    package init(mode: UInt32? = nil, user: UInt32? = nil, group: UInt32? = nil) {
        self.mode = mode
        self.user = user
        self.group = group
    }
}
