/// Why no instance could be picked.
public struct BalancingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name.
        public let description: String

        /// No snapshot has arrived yet.
        public static let noSnapshot = Code(description: "no snapshot")

        /// The service has no instance that may take calls.
        public static let noInstances = Code(description: "no instances")

        /// A custom picker found none of the instances good enough.
        public static let refused = Code(description: "refused by the picker")
    }

    /// What is wrong.
    public let code: Code

    /// Makes an error.
    public init(code: Code) { self.code = code }

    /// Code and remedy in one line.
    public var description: String {
        switch code {
        case .noSnapshot:
            "\(code): wait for the first snapshot, or check that the registry answers"
        case .refused:
            "\(code): no instance will do for this request"
        default:
            "\(code): no instance of the service is registered and healthy enough"
        }
    }
}
