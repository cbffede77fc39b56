/// The versions that this program tells of itself.
package enum AgentVersions {
    /// The release whose surface clients find here.
    package static let compatible = "1.8.7"
    /// The program's own release.
    package static let program = "0.1.0"
}
