/// Why a lookup gave nothing.
public struct DiscoveryError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure; more may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name.
        public let description: String

        /// No answer of the registry came in time.
        public static let noAnswer = Code(description: "no answer")
        /// More distinct queries are watched than the limit allows.
        public static let tooMany = Code(description: "too many queries")
        /// The discovery, or the task that asked, has ended.
        public static let ended = Code(description: "ended")
    }

    /// The kind of failure.
    public var code: Code

    /// The query that failed.
    public var query: ServiceQuery

    /// The last error of the registry, when there was one.
    public var cause: (any Error)?

    /// Code, query, cause and remedy in one line.
    public var description: String {
        let remedy =
            switch code {
            case .noAnswer: "check that the registry answers and that Discovery.run() runs"
            case .tooMany: "use fewer distinct queries or raise maximumWatches"
            default: "look up before the shutdown"
            }
        let reason = cause.map { ", because of \($0)" } ?? ""
        return "\(code): service \"\(query.name)\"\(reason); \(remedy)"
    }
}
