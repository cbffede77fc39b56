public import Logging
public import MusterAPI
public import MusterBalancing

/// How a call to a service is made, beyond its time and its retries.
public struct HTTPCallOptions: Sendable {
    /// What the `Host` header says when the request has none.
    public enum Host: Hashable, Sendable {
        /// The authority of the request's URL: the service's name.
        case asWritten
        /// The address of the instance.
        case instance
        /// This text.
        case fixed(String)
    }

    /// What the `Host` header says when the request has none.
    ///
    /// Default: the service's name, as the request's URL has it.
    public var host = Host.asWritten

    /// What the pick asks for: a key, an endpoint to prefer.
    public var pick = PickRequest.any

    /// How long one attempt may take before another instance is tried.
    ///
    /// nil, the default, gives the first attempt all the time there is.
    public var attemptTimeout: Duration?

    /// Sends slow calls to a second instance as well; only those that are safe to repeat.
    public var hedging: HTTPHedging?

    /// Whether acting on the request twice does no harm.
    ///
    /// nil, the default, goes by the method, and by an `Idempotency-Key` header.
    public var isIdempotent: Bool?

    /// Where calls and attempts are counted.
    public var metrics = HTTPCallMetrics.shared

    /// Told when another instance is tried; nil for nobody.
    public var logger: Logger?

    /// What the time is taken from; the same as the balancer's.
    public var clock = TimeSource.system

    /// Makes the default options.
    public init() {}
}
