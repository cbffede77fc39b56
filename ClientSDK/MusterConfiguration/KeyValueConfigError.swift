import Configuration

/// Why a value or the tree of values cannot be had, with what to do about it.
public struct KeyValueConfigError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure; more may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name.
        public let description: String

        /// The value is not of the type that is asked for.
        public static let invalidValue = Code(description: "invalid value")
        /// The registry gave no answer in time.
        public static let noAnswer = Code(description: "no answer")
    }

    /// The kind of failure.
    public var code: Code

    /// The whole key in the registry, or the prefix.
    public var key: String

    /// What is wrong, in a sentence; without the value of a secret.
    public var message: String

    /// The error below this one, when there is one.
    public var cause: (any Error)?

    /// Makes an error.
    public init(code: Code, key: String, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.key = key
        self.message = message
        self.cause = cause
    }

    /// Code, message, cause and remedy in one line.
    public var description: String {
        let reason = cause.map { ", because of \($0)" } ?? ""
        let remedy =
            switch code {
            case .invalidValue: "correct the value, or the type that is asked for"
            case .noAnswer: "check that the registry answers, or allow a start without it"
            default: "see the message"
            }
        return "\(code): \(message)\(reason); \(remedy)"
    }
}

extension KeyValueConfigError {
    /// The error of a value that is not what it should be.
    static func invalid(_ key: String, _ text: String?, _ type: ConfigType) -> Self {
        let shown = text.map { text in
            let short = text.prefix(Limits.shownCharacters)
            return "\"\(short)\(short.count < text.count ? "…" : "")\" "
        }
        let type =
            switch type {
            case .string: "text (UTF-8)"
            case .int: "a whole number"
            case .double: "a number"
            case .bool: "true or false"
            case .bytes: "bytes"
            case .stringArray: "a list of texts"
            case .intArray: "a list of whole numbers"
            case .doubleArray: "a list of numbers"
            case .boolArray: "a list of true and false"
            case .byteChunkArray: "a list of Base64 texts"
            }
        return KeyValueConfigError(
            code: .invalidValue,
            key: key,
            message: "the value \(shown ?? "")of the key \(key) is not \(type)"
        )
    }
}
