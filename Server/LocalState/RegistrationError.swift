/// Why the agent refused a registration or a change; the message is Consul's.
package struct RegistrationError: Error, Hashable, Sendable {
    /// What the refusal means for the caller.
    package enum Code: Hashable, Sendable {
        /// The request is wrong as it stands (HTTP 400).
        case invalid
        /// What the request names is not registered here (HTTP 404).
        case notFound
        /// The request is well formed but cannot be carried out (HTTP 500).
        case failed
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// Several complaints in the layout of Consul's replies.
///
/// - Source: Consul: PUT /v1/agent/service/register with a wrong proxy (go-multierror's list).
func errorList(_ messages: [String]) -> String {
    let count = messages.count == 1 ? "1 error occurred:" : "\(messages.count) errors occurred:"
    return count + "\n" + messages.map { "\t* \($0)\n" }.joined() + "\n"
}
