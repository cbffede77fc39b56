import Filter
import Model
import NIOHTTP1
import Replica
import StateStore
import Wire

extension RouteTable {
    /// `/v1/health/…`.
    ///
    /// - Source: Consul: api-docs/health.
    mutating func addHealthRoutes() {
        let nodes = Requirement(.node, .read)
        let services = Requirement(.service, .read)
        add(.GET, "/v1/health/node/", nodes, HealthReads.node)
        add(.GET, "/v1/health/checks/", services, HealthReads.checks)
        add(.GET, "/v1/health/state/", nodes, HealthReads.state)
        add(.GET, "/v1/health/service/", services, HealthReads.service)
        add(.GET, "/v1/health/connect/", services, HealthReads.connect)
        add(.GET, "/v1/health/ingress/", services, HealthReads.ingress)
    }
}

/// The reads of checks and healthy instances.
enum HealthReads {
    /// - Source: Consul: GET /v1/health/service/:service
    @Sendable static func service(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try instances(request, context, .service)
    }

    /// - Source: Consul: GET /v1/health/connect/:service
    @Sendable static func connect(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try instances(request, context, .connect)
    }

    /// No ingress gateway serves anything before its configuration entry exists: the list is empty.
    ///
    /// - Source: Consul: GET /v1/health/ingress/:service
    @Sendable static func ingress(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        try instances(request, context, .ingress)
    }

    private enum Form {
        case service
        case connect
        case ingress
    }

    private static func instances(
        _ request: Request,
        _ context: RequestContext,
        _ form: Form
    ) throws(HTTPError) -> Outcome {
        let options = try QueryOptions.announced(request, context, takesCache: true)
        let name = try request.name(orMissing: "service name")
        // The mesh forms do not look at tags, nor does Consul.
        let tags = form == .connect ? [] : request.query.all("tag")
        let wantsPassing = wantsPassing(request.query)
        let filter = QueryFilter(options.filter, .healthService)
        return .read(
            ReadQuery(request, options) { state throws(HTTPError) in
                let filter = try filter.resolve()
                let onlyPassing = try wantsPassing.get()
                let answer = state.store.serviceInstances(
                    name,
                    tags: tags,
                    nodeMeta: options.nodeMeta,
                    connect: form == .connect
                )
                var found = form == .ingress ? [] : answer.value
                if onlyPassing {
                    found = found.filter { $0.allChecks { $0.status == .passing } }
                }
                if let filter { found = found.filter { filter.matches(InstanceSubject($0)) } }
                Nearness(to: options.near, in: state.store)?.sort(&found) { $0.node.name }
                return ReadAnswer(
                    .json(ServiceInstance.healthJSON(found)),
                    index: answer.index,
                    topics: options.topics(answer.topics),
                    isPinned: !answer.value.isEmpty
                )
            }
        )
    }

    /// Whether only instances are wanted all of whose checks pass; an empty value means so.
    ///
    /// A bad value is refused after a bad filter, whose error counts first.
    ///
    /// - Source: Consul: GET /v1/health/service/:service `passing`, Go strconv.ParseBool.
    private static func wantsPassing(_ query: QueryParameters) -> Result<Bool, HTTPError> {
        guard let text = query["passing"], !text.isEmpty else {
            return .success(query.contains("passing"))
        }
        switch text {
        case "1", "t", "T", "TRUE", "true", "True": return .success(true)
        case "0", "f", "F", "FALSE", "false", "False": return .success(false)
        default: return .failure(.badRequest("Invalid value for ?passing"))
        }
    }

    // MARK: Checks

    /// - Source: Consul: GET /v1/health/node/:node
    @Sendable static func node(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let name = try request.name(orMissing: "node name")
        return try checks(request, context) { store, _ in store.nodeChecks(name) }
    }

    /// - Source: Consul: GET /v1/health/checks/:service
    @Sendable static func checks(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let name = try request.name(orMissing: "service name")
        return try checks(request, context) { store, options in
            store.serviceChecks(name, nodeMeta: options.nodeMeta)
        }
    }

    /// - Source: Consul: GET /v1/health/state/:state
    @Sendable static func state(
        _ request: Request,
        _ context: RequestContext
    ) throws(HTTPError) -> Outcome {
        let name = try request.name(orMissing: "check state")
        let status = name == "any" ? nil : CheckStatus(rawValue: name)
        return try checks(request, context) { store, options in
            store.checksInState(status, nodeMeta: options.nodeMeta)
        }
    }

    private static func checks(
        _ request: Request,
        _ context: RequestContext,
        read: @escaping @Sendable (StateStore, QueryOptions) -> Answer<[CheckRecord]>
    ) throws(HTTPError) -> Outcome {
        let options = try QueryOptions.announced(request, context)
        let filter = QueryFilter(options.filter, .healthCheck)
        return .read(
            ReadQuery(request, options) { state throws(HTTPError) in
                let filter = try filter.resolve()
                let answer = read(state.store, options)
                var found = answer.value
                if let filter { found = found.filter { filter.matches(CheckSubject($0.check)) } }
                Nearness(to: options.near, in: state.store)?.sort(&found) { $0.check.node }
                var list = JSONList(capacity: found.count * 256)
                for record in found { record.withJSON { list.append($0) } }
                return ReadAnswer(
                    .json(list.finish()),
                    index: answer.index,
                    topics: options.topics(answer.topics)
                )
            }
        )
    }
}

extension InstanceSubject {
    init(_ instance: ServiceInstance) {
        self.init(
            node: instance.node.node,
            service: instance.service.service,
            checks: instance.checks.map(\.check)
        )
    }
}
