import Model

/// The semantics of the registry in the plainest form: arrays, linear searches, no indexes, no
/// sharing.
///
/// Written from Consul's documented behaviour, not from the store; the store must agree with it.
struct NaiveRegistry: Equatable {
    struct Instance: Equatable {
        var node: String
        var service: CatalogService
    }

    struct Delay: Equatable {
        var key: String
        var until: UInt64
    }

    struct Failure: Error {
        let message: String
    }

    var nodes: [Node] = []
    var services: [Instance] = []
    var checks: [HealthCheck] = []
    var keys: [KeyValueEntry] = []
    var sessions: [Session] = []
    var delays: [Delay] = []
    var index: UInt64 = 0
    var now: UInt64 = 0

    var stamp: RecordIndexes {
        RecordIndexes(create: LogIndex(rawValue: index), modify: LogIndex(rawValue: index))
    }

    mutating func apply(_ command: Command, at index: UInt64, now: UInt64) -> CommandResult {
        self.index = index
        self.now = now
        let before = self
        do {
            return try perform(command)
        } catch let failure as Failure {
            self = before
            return .refused(.invalid(failure.message))
        } catch {
            return .refused(.invalid("unexpected"))
        }
    }

    private mutating func perform(_ command: Command) throws -> CommandResult {
        switch command {
        case .register(let register):
            try self.register(register)
            return .done
        case .deregister(let request):
            if !request.serviceID.isEmpty {
                removeService(request.node, request.serviceID)
            } else if !request.checkID.isEmpty {
                removeCheck(request.node, request.checkID)
            } else {
                removeNode(request.node)
            }
            return .done
        case .keyValue(let request):
            if request.operation == .lock, isDelayed(request.entry.key) { return .condition(false) }
            let written = try write(request.operation, request.entry)
            switch request.operation {
            case .set, .delete, .deleteTree: return .done
            default: return .condition(written.isDone)
            }
        case .session(.create(let session)):
            try create(session)
            return .sessionID(session.id)
        case .session(.destroy(let id)):
            destroy(id)
            return .done
        case .transaction(let operations):
            return .transaction(transact(operations))
        case .reapTombstones, .updateCoordinates, .autopilot:
            return .done
        }
    }

    // MARK: Catalog

    private mutating func register(_ command: RegisterCommand) throws {
        let node = command.node
        let known = nodes.first { sameName($0.name, node.name) }
        var plain = known
        plain?.indexes = node.indexes
        if known == nil || (!command.skipNodeUpdate && plain != node) {
            do { try set(node) } catch let failure as Failure {
                throw Failure(message: "failed inserting node: " + failure.message)
            }
        }
        if let service = command.service {
            do { try set(service, on: node.name) } catch let failure as Failure {
                throw Failure(message: "failed inserting service: " + failure.message)
            }
        }
        for check in command.checks {
            guard check.node == node.name else {
                throw Failure(
                    message: "check node \"\(check.node)\" does not match node \"\(node.name)\""
                )
            }
            do { try set(check) } catch let failure as Failure {
                throw Failure(
                    message: "failed inserting check: \(failure.message) on node \"\(check.node)\""
                )
            }
        }
    }

    mutating func set(_ new: Node) throws {
        var node = new
        var previous = nodes.first { sameName($0.name, node.name) }
        if !node.id.isEmpty {
            let sameID = nodes.first { sameName($0.id, node.id) }
            let owner = nodes.first { sameName($0.name, node.name) && $0.id != node.id }
            let isAlive = checks.contains {
                sameName($0.node, node.name) && sameName($0.id, "serfHealth")
                    && $0.status != .critical
            }
            let excused = owner?.id == "" && sameID == nil
            if let owner, isAlive, !excused, sameID?.name != node.name {
                let address = sameID == nil ? "" : " (\(node.address))"
                throw Failure(
                    message: "Error while renaming Node ID: \"\(node.id)\"\(address): Node name "
                        + "\(node.name) is reserved by node \(owner.id) with name \(owner.name) "
                        + "(\(owner.address))"
                )
            }
            if let sameID {
                previous = sameID
                if sameID.name != node.name { removeNode(sameID.name) }
            }
        }
        node.indexes = previous?.indexes ?? stamp
        if node == previous { return }
        node.indexes.modify.rawValue = index
        nodes.removeAll { sameName($0.name, node.name) }
        nodes.append(node)
    }

    mutating func set(_ new: CatalogService, on node: String) throws {
        var service = new
        service.weights = service.weights ?? Weights()
        for key in (service.meta ?? [:]).keys where key != "ok" {
            let problem = key.isEmpty ? "Key cannot be blank" : "Key contains invalid characters"
            throw Failure(
                message: "Invalid Service Meta for node \(node) and serviceID \(service.id): "
                    + "Couldn't load metadata pair ('\(key)', 'x'): \(problem)"
            )
        }
        guard nodes.contains(where: { sameName($0.name, node) }) else {
            throw Failure(message: "Missing node registration")
        }
        let place = services.firstIndex {
            sameName($0.node, node) && sameName($0.service.id, service.id)
        }
        service.indexes = place.map { services[$0].service.indexes } ?? stamp
        if let place {
            var known = services[place].service
            // What replies cannot tell apart is not a change.
            known.tags = known.tags ?? []
            var wanted = service
            wanted.tags = wanted.tags ?? []
            guard known != wanted else { return }
            service.indexes.modify.rawValue = index
            services[place].service = service
        } else {
            services.append(Instance(node: node, service: service))
        }
    }

    mutating func set(_ new: HealthCheck) throws {
        var check = new
        guard nodes.contains(where: { sameName($0.name, check.node) }) else {
            throw Failure(message: "Missing node registration")
        }
        if !check.serviceID.isEmpty {
            let owner = services.first {
                sameName($0.node, check.node) && sameName($0.service.id, check.serviceID)
            }
            guard let owner else { throw Failure(message: "Missing service registration") }
            check.serviceName = owner.service.name
            check.serviceTags = owner.service.tags
        }
        let place = checks.firstIndex { sameName($0.node, check.node) && sameName($0.id, check.id) }
        check.indexes = place.map { checks[$0].indexes } ?? stamp
        if let place {
            var known = checks[place]
            known.serviceTags = known.serviceTags ?? []
            var wanted = check
            wanted.serviceTags = wanted.serviceTags ?? []
            if known != wanted {
                check.indexes.modify.rawValue = index
                checks[place] = check
            }
        } else {
            checks.append(check)
        }
        if check.status == .critical { endSessions(of: check.node, check: check.id) }
    }

    mutating func removeNode(_ name: String) {
        guard nodes.contains(where: { sameName($0.name, name) }) else { return }
        for instance in services where sameName(instance.node, name) {
            removeService(name, instance.service.id)
        }
        for check in checks where sameName(check.node, name) { removeCheck(name, check.id) }
        for session in sessions where sameName(session.node, name) { destroy(session.id) }
        nodes.removeAll { sameName($0.name, name) }
    }

    mutating func removeService(_ node: String, _ id: String) {
        for check in checks where sameName(check.node, node) && sameName(check.serviceID, id) {
            removeCheck(node, check.id)
        }
        services.removeAll { sameName($0.node, node) && sameName($0.service.id, id) }
    }

    mutating func removeCheck(_ node: String, _ id: String) {
        guard checks.contains(where: { sameName($0.node, node) && sameName($0.id, id) }) else {
            return
        }
        checks.removeAll { sameName($0.node, node) && sameName($0.id, id) }
        endSessions(of: node, check: id)
    }

    // MARK: Sessions

    private mutating func endSessions(of node: String, check: String) {
        for session in sessions where sameName(session.node, node) {
            if (session.nodeChecks ?? []).contains(where: { sameName($0, check) }) {
                destroy(session.id)
            }
        }
    }

    private mutating func create(_ session: Session) throws {
        guard nodes.contains(where: { sameName($0.name, session.node) }) else {
            throw Failure(message: "Missing node registration")
        }
        for id in session.nodeChecks ?? [] {
            let check = checks.first { sameName($0.node, session.node) && sameName($0.id, id) }
            guard let check else { throw Failure(message: "Missing check '\(id)' registration") }
            guard check.status != .critical else {
                throw Failure(message: "Check '\(id)' is in critical state")
            }
        }
        var session = session
        session.indexes = stamp
        sessions.append(session)
    }

    mutating func destroy(_ id: String) {
        guard let session = sessions.first(where: { $0.id == id }) else { return }
        sessions.removeAll { $0.id == id }
        let delay = min(session.lockDelay.rawValue, 60_000_000_000)
        for held in keys where held.session == id {
            if session.behavior == .delete {
                keys.removeAll { $0.key == held.key }
            } else {
                var freed = held
                freed.session = ""
                put(freed)
            }
            delays.removeAll { $0.key == held.key && delay > 0 }
            if delay > 0 { delays.append(Delay(key: held.key, until: now + UInt64(delay))) }
        }
    }

    func isDelayed(_ key: String) -> Bool {
        delays.contains { $0.key == key && now < $0.until }
    }
}

/// Names of nodes, services and checks are the same in any letter case.
func sameName(_ left: String, _ right: String) -> Bool {
    left.lowercased() == right.lowercased()
}
