import Filter
import Model
import Replica
import StateStore
import Wire

/// One row of the web interface's list of services.
private struct ServiceSummary {
    let name: String
    var kind = ServiceKind.typical
    var tags: Set<String> = []
    var nodes: [String] = []
    var instanceCount = 0
    var proxyFor: [String] = []
    var passing = 0
    var warning = 0
    var critical = 0
    var externalSources: Set<String> = []

    init(name: String) {
        self.name = name
    }

    mutating func add(_ instance: InstanceSubject) {
        let service = instance.service
        kind = service.kind
        nodes.append(instance.node.name)
        instanceCount += 1
        tags.formUnion(service.tags ?? [])
        if service.kind == .connectProxy {
            proxyFor.append(service.proxy.destinationServiceName)
        }
        if let source = service.meta?["external-source"], !source.isEmpty {
            externalSources.insert(source)
        }
        for check in instance.checks {
            switch check.status {
            case .passing: passing += 1
            case .warning: warning += 1
            case .critical: critical += 1
            default: break
            }
        }
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        if kind != .typical {
            writer.key("Kind")
            writer.string(kind.rawValue)
        }
        writer.key("Name")
        writer.string(name)
        writer.key("Tags")
        writer.value(ServiceSummary.list(tags))
        writer.key("Nodes")
        writer.value(nodes.sorted { $0.utf8Precedes($1) })
        writer.key("InstanceCount")
        writer.integer(instanceCount)
        if !proxyFor.isEmpty {
            writer.key("ProxyFor")
            writer.value(proxyFor)
        }
        writer.key("ChecksPassing")
        writer.integer(passing)
        writer.key("ChecksWarning")
        writer.integer(warning)
        writer.key("ChecksCritical")
        writer.integer(critical)
        writer.key("ExternalSources")
        writer.value(ServiceSummary.list(externalSources))
        writer.key("GatewayConfig")
        writer.beginObject()
        writer.endObject()
        writer.endObject()
    }

    private static func list(_ names: Set<String>) -> [String]? {
        names.isEmpty ? nil : names.sorted { $0.utf8Precedes($1) }
    }
}

extension InternalUIReads {
    /// - Source: Consul: GET /v1/internal/ui/services
    @Sendable static func services(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try request.refuseNamespace()
        let options = try QueryOptions(request, context)
        let filter = QueryFilter(options.filter, .healthService)
        return .read(
            ReadQuery(request, options) { state throws(HTTPError) in
                let filter = try filter.resolve()
                let answer = state.store.serviceDump()
                var summaries: [String: ServiceSummary] = [:]
                for instance in answer.value {
                    let subject = InstanceSubject(instance)
                    guard filter?.matches(subject) ?? true else { continue }
                    let name = subject.service.name
                    summaries[name, default: ServiceSummary(name: name)].add(subject)
                }
                var writer = JSONWriter(capacity: summaries.count * 256)
                writer.beginArray()
                for summary in summaries.values.sorted(by: { $0.name.utf8Precedes($1.name) }) {
                    summary.write(to: &writer)
                }
                writer.endArray()
                return ReadAnswer(
                    .json(writer.bytes),
                    index: answer.index,
                    topics: answer.topics
                )
            }
        )
    }
}
