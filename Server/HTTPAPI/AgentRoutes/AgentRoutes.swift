import LocalState
import Model
import NIOCore
import NIOHTTP1
import Wire

/// The routes under `/v1/agent/`.
///
/// - Source: Consul: api-docs/agent.
package struct AgentRoutes: Sendable {
    let agent: any AgentOperations

    package init(agent: any AgentOperations) {
        self.agent = agent
    }

    package func add(to table: inout RouteTable) {
        addNodeRoutes(to: &table)
        addServiceRoutes(to: &table)
        addCheckRoutes(to: &table)
    }

    private func addNodeRoutes(to table: inout RouteTable) {
        let read = Requirement(.agent, .read)
        let write = Requirement(.agent, .write)
        let prefix = "/v1/agent"
        table.add(.GET, "\(prefix)/self", read, describeSelf)
        table.add(.GET, "\(prefix)/host", Requirement(.operatorControl, .read), describeHost)
        table.add(.GET, "\(prefix)/version", read, describeVersion)
        table.add(.GET, "\(prefix)/metrics", read, describeMetrics)
        table.add(.GET, "\(prefix)/members", Requirement(.node, .read), listMembers)
        table.add(.PUT, "\(prefix)/maintenance", Requirement(.node, .write), maintainNode)
        table.add(.PUT, "\(prefix)/reload", write, reload)
        table.add(.PUT, "\(prefix)/leave", write, leave)
        table.add(.PUT, "\(prefix)/join/", write, join)
        table.add(.PUT, "\(prefix)/force-leave/", write, forceLeave)
        table.add(.PUT, "\(prefix)/token/", write, setToken)
    }

    private func addServiceRoutes(to table: inout RouteTable) {
        let read = Requirement(.service, .read)
        let write = Requirement(.service, .write)
        let prefix = "/v1/agent"
        table.add(.GET, "\(prefix)/services", read, listServices)
        table.add(.GET, "\(prefix)/service/", read, readService)
        table.add(.PUT, "\(prefix)/service/register", write, registerService)
        table.add(.PUT, "\(prefix)/service/deregister/", write, deregisterService)
        table.add(.PUT, "\(prefix)/service/maintenance/", write, maintainService)
        table.add(.GET, "\(prefix)/health/service/name/", read, healthByName)
        table.add(.GET, "\(prefix)/health/service/id/", read, healthByID)
    }

    private func addCheckRoutes(to table: inout RouteTable) {
        let write = Requirement(.node, .write)
        let prefix = "/v1/agent/check"
        table.add(.GET, "/v1/agent/checks", Requirement(.node, .read), listChecks)
        table.add(.PUT, "\(prefix)/register", write, registerCheck)
        table.add(.PUT, "\(prefix)/deregister/", write, deregisterCheck)
        table.add(.PUT, "\(prefix)/pass/", write) { request, _ throws(HTTPError) in
            self.setTTL(request.rest, .passing, output: request.query["note"] ?? "")
        }
        table.add(.PUT, "\(prefix)/warn/", write) { request, _ throws(HTTPError) in
            self.setTTL(request.rest, .warning, output: request.query["note"] ?? "")
        }
        table.add(.PUT, "\(prefix)/fail/", write) { request, _ throws(HTTPError) in
            self.setTTL(request.rest, .critical, output: request.query["note"] ?? "")
        }
        table.add(.PUT, "\(prefix)/update/", write, updateCheck)
    }

    // MARK: Shared steps

    /// Makes a change and answers with an empty body, or with the refusal.
    func change(_ body: @escaping LocalChange) -> Outcome {
        .pending { responder in
            agent.change(body) { error in
                responder.send(error.map { HTTPError($0).reply } ?? .empty(.ok))
            }
        }
    }

    /// Answers with what `body` makes of the local state.
    func read(_ body: @escaping @Sendable (LocalState) throws(HTTPError) -> Reply) -> Outcome {
        .pending { responder in
            agent.read { state in
                do throws(HTTPError) {
                    responder.send(try body(state))
                } catch {
                    responder.send(error.reply)
                }
            }
        }
    }

    func decode<Record: WireRecord>(
        _ type: Record.Type,
        _ request: Request
    ) throws(HTTPError) -> Record {
        do throws(WireError) {
            return try JSON.decode(type, from: request.bodyBytes, refusesUnknownKeys: true)
        } catch {
            throw .badRequest("Request decode failed: \(error.message)")
        }
    }
}

extension HTTPError {
    init(_ error: RegistrationError) {
        switch error.code {
        case .invalid: self = .badRequest(error.message)
        case .notFound: self = HTTPError(.notFound, error.message)
        case .failed: self = .failed(error.message)
        }
    }
}

extension Request {
    /// The `enable` of the maintenance routes.
    ///
    /// - Source: Consul: PUT /v1/agent/maintenance, Go strconv.ParseBool.
    func enable() throws(HTTPError) -> Bool {
        guard let text = query["enable"] else { throw .badRequest("Missing value for enable") }
        switch text {
        case "1", "t", "T", "TRUE", "true", "True": return true
        case "0", "f", "F", "FALSE", "false", "False": return false
        default: throw .badRequest("Invalid value for enable: \(GoQuote.quote(text))")
        }
    }
}
