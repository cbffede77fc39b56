import Filter
import LocalState
import Model
import Wire

extension AgentRoutes {
    /// - Source: Consul: GET /v1/agent/checks
    func listChecks(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let text = request.query["filter"] ?? ""
        return read { state throws(HTTPError) in
            let filter = try Self.filter(text, .healthCheck) { error in
                // Here only mistakes of syntax, which begin with their position, are announced.
                error.reason.first?.isNumber == true ? error.description : error.reason
            }
            var writer = JSONWriter(capacity: 1024)
            writer.beginObject()
            for entry in state.checks where filter?.matches(CheckSubject(entry.check)) ?? true {
                writer.key(entry.check.id)
                CatalogJSON.check(entry.check, into: &writer)
            }
            writer.endObject()
            return .json(writer.bytes)
        }
    }

    /// - Source: Consul: PUT /v1/agent/check/register
    func registerCheck(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let definition = try decode(CheckDefinitionBody.self, request).registration
        let token = definition.token.isEmpty ? request.token : definition.token
        let options = RegistrationOptions(source: .remote, token: token)
        return change { state, now, effects throws(RegistrationError) in
            try state.register(check: definition, options: options, now: now, into: &effects)
        }
    }

    /// - Source: Consul: PUT /v1/agent/check/deregister/:check_id
    func deregisterCheck(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let id = request.rest
        return change { state, now, effects throws(RegistrationError) in
            try state.deregisterCheck(id, now: now, into: &effects)
        }
    }

    /// - Source: Consul: PUT /v1/agent/check/update/:check_id
    func updateCheck(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let update = try decode(CheckUpdateBody.self, request)
        let status = CheckStatus(rawValue: update.status)
        guard status.isValid else {
            throw .badRequest("Invalid check status: '\(update.status)'")
        }
        return setTTL(request.rest, status, output: update.output)
    }

    func setTTL(_ id: String, _ status: CheckStatus, output: String) -> Outcome {
        change { state, now, effects throws(RegistrationError) in
            try state.setTTL(
                check: id,
                status: status,
                output: output,
                now: now,
                into: &effects
            )
        }
    }
}
