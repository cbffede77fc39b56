/// How a check is run; exactly one of the kinds is filled in.
///
/// - Source: Consul: PUT /v1/agent/check/register
public struct CheckDefinition: Codable, Hashable, Sendable {
    /// Its id; empty lets the agent choose.
    public var id: String

    /// Its name for people.
    public var name: String

    /// What it is for.
    public var notes: String

    /// Its state until the first result; nil is critical.
    public var status: CheckStatus?

    /// The service instance it belongs to, for checks registered alone.
    public var serviceID: String

    /// Kind TTL: critical unless the application reports this often.
    public var ttl: Duration?

    /// Kind HTTP: the URL to get.
    public var http: String

    /// The HTTP method; empty is GET.
    public var method: String

    /// The HTTP headers to send.
    public var header: [String: [String]]

    /// The HTTP body to send.
    public var body: String

    /// Kind TCP: host and port to connect to.
    public var tcp: String

    /// Kind gRPC: host, port and optional service of the health protocol.
    public var grpc: String

    /// Whether the gRPC check uses TLS.
    public var grpcUseTLS: Bool

    /// Kind script: the command and its arguments.
    public var scriptArguments: [String]

    /// The container to run the script in.
    public var dockerContainerID: String

    /// The shell in that container.
    public var shell: String

    /// Kind alias: the service instance whose health this one mirrors.
    public var aliasService: String

    /// Kind alias: the node that is mirrored.
    public var aliasNode: String

    /// How often it runs.
    public var interval: Duration?

    /// How long one run may take.
    public var timeout: Duration?

    /// Whether the certificate goes unverified.
    public var tlsSkipVerify: Bool

    /// How many successes in a row make it pass.
    public var successBeforePassing: Int

    /// How many failures in a row make it critical.
    public var failuresBeforeCritical: Int

    /// After how long in the critical state the instance is removed.
    public var deregisterCriticalServiceAfter: Duration?

    /// The most bytes of output that are kept; 0 is the agent's default.
    public var outputMaxSize: Int

    private enum CodingKeys: String, CodingKey {
        case id = "CheckID"
        case name = "Name"
        case notes = "Notes"
        case status = "Status"
        case serviceID = "ServiceID"
        case ttl = "TTL"
        case http = "HTTP"
        case method = "Method"
        case header = "Header"
        case body = "Body"
        case tcp = "TCP"
        case grpc = "GRPC"
        case grpcUseTLS = "GRPCUseTLS"
        case scriptArguments = "Args"
        case dockerContainerID = "DockerContainerID"
        case shell = "Shell"
        case aliasService = "AliasService"
        case aliasNode = "AliasNode"
        case interval = "Interval"
        case timeout = "Timeout"
        case tlsSkipVerify = "TLSSkipVerify"
        case successBeforePassing = "SuccessBeforePassing"
        case failuresBeforeCritical = "FailuresBeforeCritical"
        case deregisterCriticalServiceAfter = "DeregisterCriticalServiceAfter"
        case outputMaxSize = "OutputMaxSize"
    }

    /// Makes the value; what is left out is empty.
    public init(
        id: String = "",
        name: String = "",
        notes: String = "",
        status: CheckStatus? = nil,
        serviceID: String = "",
        ttl: Duration? = nil,
        http: String = "",
        method: String = "",
        header: [String: [String]] = [:],
        body: String = "",
        tcp: String = "",
        grpc: String = "",
        grpcUseTLS: Bool = false,
        scriptArguments: [String] = [],
        dockerContainerID: String = "",
        shell: String = "",
        aliasService: String = "",
        aliasNode: String = "",
        interval: Duration? = nil,
        timeout: Duration? = nil,
        tlsSkipVerify: Bool = false,
        successBeforePassing: Int = 0,
        failuresBeforeCritical: Int = 0,
        deregisterCriticalServiceAfter: Duration? = nil,
        outputMaxSize: Int = 0
    ) {
        self.id = id
        self.name = name
        self.notes = notes
        self.status = status
        self.serviceID = serviceID
        self.ttl = ttl
        self.http = http
        self.method = method
        self.header = header
        self.body = body
        self.tcp = tcp
        self.grpc = grpc
        self.grpcUseTLS = grpcUseTLS
        self.scriptArguments = scriptArguments
        self.dockerContainerID = dockerContainerID
        self.shell = shell
        self.aliasService = aliasService
        self.aliasNode = aliasNode
        self.interval = interval
        self.timeout = timeout
        self.tlsSkipVerify = tlsSkipVerify
        self.successBeforePassing = successBeforePassing
        self.failuresBeforeCritical = failuresBeforeCritical
        self.deregisterCriticalServiceAfter = deregisterCriticalServiceAfter
        self.outputMaxSize = outputMaxSize
    }

    /// Reads the value; missing and `null` members are empty.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        id = try members.value(.id, or: "")
        name = try members.value(.name, or: "")
        notes = try members.value(.notes, or: "")
        status = try members.optional(.status)
        serviceID = try members.value(.serviceID, or: "")
        ttl = try members.duration(.ttl)
        http = try members.value(.http, or: "")
        method = try members.value(.method, or: "")
        header = try members.value(.header, or: [:])
        body = try members.value(.body, or: "")
        tcp = try members.value(.tcp, or: "")
        grpc = try members.value(.grpc, or: "")
        grpcUseTLS = try members.value(.grpcUseTLS, or: false)
        scriptArguments = try members.value(.scriptArguments, or: [])
        dockerContainerID = try members.value(.dockerContainerID, or: "")
        shell = try members.value(.shell, or: "")
        aliasService = try members.value(.aliasService, or: "")
        aliasNode = try members.value(.aliasNode, or: "")
        interval = try members.duration(.interval)
        timeout = try members.duration(.timeout)
        tlsSkipVerify = try members.value(.tlsSkipVerify, or: false)
        successBeforePassing = try members.value(.successBeforePassing, or: 0)
        failuresBeforeCritical = try members.value(.failuresBeforeCritical, or: 0)
        deregisterCriticalServiceAfter = try members.duration(.deregisterCriticalServiceAfter)
        outputMaxSize = try members.value(.outputMaxSize, or: 0)
    }

    /// Writes the value, leaving out what is empty.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(id, .id, unless: "")
        try members.encode(name, .name, unless: "")
        try members.encode(notes, .notes, unless: "")
        try members.encodeIfPresent(status, forKey: .status)
        try members.encode(serviceID, .serviceID, unless: "")
        try members.encode(ttl, .ttl)
        try members.encode(http, .http, unless: "")
        try members.encode(method, .method, unless: "")
        try members.encode(header, .header, unless: [:])
        try members.encode(body, .body, unless: "")
        try members.encode(tcp, .tcp, unless: "")
        try members.encode(grpc, .grpc, unless: "")
        try members.encode(grpcUseTLS, .grpcUseTLS, unless: false)
        try members.encode(scriptArguments, .scriptArguments, unless: [])
        try members.encode(dockerContainerID, .dockerContainerID, unless: "")
        try members.encode(shell, .shell, unless: "")
        try members.encode(aliasService, .aliasService, unless: "")
        try members.encode(aliasNode, .aliasNode, unless: "")
        try members.encode(interval, .interval)
        try members.encode(timeout, .timeout)
        try members.encode(tlsSkipVerify, .tlsSkipVerify, unless: false)
        try members.encode(successBeforePassing, .successBeforePassing, unless: 0)
        try members.encode(failuresBeforeCritical, .failuresBeforeCritical, unless: 0)
        try members.encode(deregisterCriticalServiceAfter, .deregisterCriticalServiceAfter)
        try members.encode(outputMaxSize, .outputMaxSize, unless: 0)
    }
}

extension CheckDefinition {
    /// A check that is critical unless the application reports within each `ttl`.
    public static func ttl(_ ttl: Duration, deregisterAfter: Duration? = nil) -> CheckDefinition {
        CheckDefinition(ttl: ttl, deregisterCriticalServiceAfter: deregisterAfter)
    }

    /// A check that the agent runs: a GET of `url` must be answered with a 2xx status.
    public static func http(
        _ url: String,
        every interval: Duration,
        timeout: Duration? = nil
    ) -> CheckDefinition {
        CheckDefinition(http: url, interval: interval, timeout: timeout)
    }

    /// A check that the agent runs: `address` (host and port) must accept a connection.
    public static func tcp(
        _ address: String,
        every interval: Duration,
        timeout: Duration? = nil
    ) -> CheckDefinition {
        CheckDefinition(tcp: address, interval: interval, timeout: timeout)
    }
}
