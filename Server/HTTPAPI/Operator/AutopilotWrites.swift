import Model
import NIOHTTP1
import Replica
import Wire

extension OperatorWrites {
    /// Replaces autopilot's settings; with `cas` only while they are as the client knows them.
    ///
    /// What the body leaves out becomes zero, as in Consul.
    /// - Source: Consul: PUT /v1/operator/autopilot/configuration
    @Sendable static func setAutopilot(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let body = try request.decodeBody(
            AutopilotBody.self,
            failure: "Bad request: Error parsing autopilot config"
        )
        let casIndex = try request.query["cas"].map { text throws(HTTPError) in
            guard let index = UInt64(text), text.utf8.first != UInt8(ascii: "+") else {
                throw .badRequest(
                    "Bad request: Error parsing cas value: strconv.ParseUint: "
                        + "parsing \(GoQuote.quote(text)): invalid syntax"
                )
            }
            return LogIndex(rawValue: index)
        }
        try request.requireDatacenter(context.services.settings)
        let command = AutopilotCommand(configuration: body.configuration, casIndex: casIndex)
        return Proposals.propose(.autopilot(command), context) { result in
            if case .condition(let isMet) = result { return .json(isMet) }
            return .json(true)
        }
    }
}
