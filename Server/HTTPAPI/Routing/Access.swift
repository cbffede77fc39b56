/// What a route touches, in the words of the access rules.
///
/// - Source: Consul: docs/security/acl/acl-rules.
package enum Resource: String, Hashable, Sendable {
    case acl
    case agent
    case event
    case key
    case keyring
    case node
    case operatorControl = "operator"
    case query
    case service
    case session
    /// Open to everyone.
    case none
}

/// The right a route asks for on its resource.
package enum Access: String, Hashable, Sendable {
    case read
    case list
    case write
    case none
}

/// The resource and the right that one method of one route needs.
package struct Requirement: Hashable, Sendable {
    package let resource: Resource
    package let access: Access

    package init(_ resource: Resource, _ access: Access) {
        self.resource = resource
        self.access = access
    }

    /// Nothing is asked.
    package static let open = Requirement(.none, .none)
}

/// The one place that decides whether a request may go on.
///
/// - Source: `shared/DESIGN.md` §3.11; without access control lists everything is allowed.
package struct Authorizer: Sendable {
    package init() {}

    /// Whether the bearer of `token` has what the route requires; `name` is what its path names.
    ///
    /// The token is only looked for when something depends on it.
    package func allows(
        _ requirement: Requirement,
        token: @autoclosure () -> String,
        name: String
    ) -> Bool {
        true
    }
}
