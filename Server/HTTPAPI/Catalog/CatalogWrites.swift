import Model
import Replica
import Wire

/// The writes of the catalog.
enum CatalogWrites {
    /// - Source: Consul: PUT /v1/catalog/register
    @Sendable static func register(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.refuseNamespace()
        var body = try request.decodeBody(RegisterRequest.self)
        if body.datacenter.isEmpty { body.datacenter = context.services.settings.datacenter }
        guard body.datacenter == context.services.settings.datacenter else {
            throw .failed("No path to datacenter")
        }
        var command = body.takeCommand()
        let name = command.node.name
        if name.isEmpty { throw .failed("Must provide node") }
        if command.node.address.isEmpty, !command.skipNodeUpdate {
            throw .failed("Must provide address if SkipNodeUpdate is not set")
        }
        if let flaw = RegistrationRules.flaw(ofNode: name, id: command.node.id) {
            throw .failed(flaw)
        }
        if var service = command.service.take() {
            if let flaw = RegistrationRules.complete(&service) { throw .failed(flaw) }
            guard !service.name.isEmpty else {
                throw .failed(
                    "failed inserting service: failed inserting service: "
                        + "object missing primary index"
                )
            }
            command.service = service
        }
        for position in command.checks.indices {
            RegistrationRules.complete(&command.checks[position], node: name)
            guard !command.checks[position].id.isEmpty else {
                throw .failed(
                    "failed inserting check: failed inserting check: "
                        + "object missing primary index on node \(GoQuote.quote(name))"
                )
            }
        }
        return Proposals.propose(.register(command), context) { _ in .json(true) }
    }

    /// - Source: Consul: PUT /v1/catalog/deregister
    @Sendable static func deregister(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.refuseNamespace()
        var body = try request.decodeBody(DeregisterRequest.self)
        if body.datacenter.isEmpty { body.datacenter = context.services.settings.datacenter }
        guard body.datacenter == context.services.settings.datacenter else {
            throw .failed("No path to datacenter")
        }
        guard !body.node.isEmpty else { throw .failed("Must provide node") }
        return Proposals.propose(.deregister(body.command), context) { _ in .json(true) }
    }
}
