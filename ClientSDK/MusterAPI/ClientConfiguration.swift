/// How a client reaches the registry.
public struct ClientConfiguration: Sendable {
    /// What TLS needs beyond the system's roots.
    public struct TLS: Hashable, Sendable {
        /// A PEM file of authorities to trust instead of the system's.
        public var authorityFile: String?

        /// A directory of PEM files of authorities to trust instead of the system's.
        public var authorityDirectory: String?

        /// A PEM file with the client's certificate chain.
        public var certificateFile: String?

        /// A PEM file with the client's private key.
        public var keyFile: String?

        /// The name to expect in the server's certificate, instead of the address's host.
        public var serverName: String?

        /// Whether the server's certificate is verified.
        ///
        /// Default true.
        public var verifies = true

        /// Makes the default: the system's roots, no client certificate.
        public init() {}
    }

    /// The agent's address.
    ///
    /// Default `http://127.0.0.1:8500`.
    public var address: RegistryAddress

    /// Further agents or servers of the same cluster, for an application without a local agent.
    ///
    /// Empty unless set. When ``address`` cannot be reached, or refuses a read with 429 or 5xx,
    /// they are tried in their order; requests stay with the one that answered last. What is said
    /// to `agent` is said to whichever that is: an application that registers instances should do
    /// so with one agent.
    public var fallbackAddresses: [RegistryAddress] = []

    /// All addresses in the order in which they are tried first.
    public var addresses: [RegistryAddress] { [address] + fallbackAddresses }

    /// The token sent with requests that bring none of their own.
    public var token: String?

    /// A file that holds the token, which wins over ``token``.
    ///
    /// It is read anew after each 403, so that it can be rotated: a request that was refused with
    /// the old token is sent once more with the new one.
    public var tokenFile: String?

    /// User and password for a proxy in front of the agent.
    public var basicAuthentication: (user: String, password: String)?

    /// The datacenter of requests that name none; nil is the agent's own.
    public var datacenter: String?

    /// What TLS needs, for an address that uses it.
    public var tls = TLS()

    /// How long a connection may take to be made.
    ///
    /// Default 2 seconds.
    public var connectTimeout = Duration.seconds(2)

    /// How long an answer may take each time a request is sent, blocking queries aside.
    ///
    /// Default 10 seconds.
    public var requestTimeout = Duration.seconds(10)

    /// What the client sends again by itself, and when.
    public var retries = RequestRetries()

    /// How many blocking queries may hold a connection at once; more wait.
    ///
    /// Default 4096.
    public var maximumWatches = Limits.watches

    /// How many other requests may be under way at once; more wait.
    ///
    /// Default 64.
    public var maximumCalls = Limits.calls

    /// The largest answer accepted; a larger one fails.
    ///
    /// Default 256 MB.
    public var maximumResponseBytes = Limits.responseBytes

    /// Makes a configuration for the agent at `address`.
    public init(address: RegistryAddress = .local, token: String? = nil) {
        self.address = address
        self.token = token
    }
}
