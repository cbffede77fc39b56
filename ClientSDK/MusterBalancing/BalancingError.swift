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
        default:
            "\(code): no instance of the service is registered and healthy enough"
        }
    }
}
