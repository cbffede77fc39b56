import LocalState
import Model
import Wire

extension AgentRoutes {
    /// - Source: Consul: GET /v1/agent/self
    func describeSelf(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        .pending { responder in
            agent.selfReport { responder.send(.json($0)) }
        }
    }

    /// - Source: Consul: GET /v1/agent/host
    func describeHost(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        .reply(.json(agent.hostReport()))
    }

    /// - Source: Consul 1.11: GET /v1/agent/version.
    /// - Deviation: 1.8.7 does not have it; newer clients ask for it.
    func describeVersion(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("SHA")
        writer.string("")
        writer.key("BuildDate")
        writer.string("")
        writer.key("HumanVersion")
        writer.string(agent.version.compatible)
        writer.key("FIPS")
        writer.string("")
        writer.endObject()
        return .reply(.json(writer.bytes))
    }

    /// - Source: Consul: GET /v1/agent/metrics
    func describeMetrics(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        if request.query["format"] == "prometheus" {
            throw HTTPError(
                .unsupportedMediaType,
                "Prometheus is not enabled since its retention time is not positive"
            )
        }
        return .reply(.json(agent.metricsReport()))
    }

    /// - Source: Consul: GET /v1/agent/members
    func listMembers(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let segment = request.query["segment"] ?? ""
        guard segment.isEmpty || segment == "_all" else {
            throw .failed("Network segments are not supported in this version of Consul")
        }
        let members = agent.members(wan: request.query["wan"].map { !$0.isEmpty } ?? false)
        var writer = JSONWriter(capacity: 512)
        writer.beginArray()
        for member in members { AgentJSON.member(member, into: &writer) }
        writer.endArray()
        return .reply(.json(writer.bytes))
    }

    /// - Source: Consul: PUT /v1/agent/maintenance
    func maintainNode(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let enabled = try request.enable()
        let reason = request.query["reason"] ?? ""
        let token = request.token
        return change { state, now, effects throws(RegistrationError) in
            state.setNodeMaintenance(
                enabled,
                reason: reason,
                token: token,
                now: now,
                into: &effects
            )
        }
    }

    /// - Source: Consul: PUT /v1/agent/reload
    func reload(_ request: Request, _ context: RequestContext) throws(HTTPError) -> Outcome {
        .pending { responder in
            agent.reload { complaint in
                let refusal = complaint.map { HTTPError.failed($0).reply }
                responder.send(refusal ?? .empty(.ok))
            }
        }
    }

    /// - Source: Consul: PUT /v1/agent/leave
    func leave(_ request: Request, _ context: RequestContext) throws(HTTPError) -> Outcome {
        .pending { responder in
            agent.leave { responder.send(.empty(.ok)) }
        }
    }

    /// - Source: Consul: PUT /v1/agent/join/:address
    func join(_ request: Request, _ context: RequestContext) throws(HTTPError) -> Outcome {
        throw .failed("This agent runs alone: joining other agents is not served yet")
    }

    /// - Source: Consul: PUT /v1/agent/force-leave/:node
    func forceLeave(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let name = request.rest
        guard agent.members(wan: false).contains(where: { $0.name == name }) else {
            throw .failed("agent: No node found with name '\(name)'")
        }
        // A member that is alive stays; only failed ones are forced out.
        return .reply(.empty(.ok))
    }

    /// - Source: Consul: PUT /v1/agent/token/:kind, with access control lists off.
    func setToken(_ request: Request, _ context: RequestContext) throws(HTTPError) -> Outcome {
        throw HTTPError(.unauthorized, "ACL support disabled")
    }
}
