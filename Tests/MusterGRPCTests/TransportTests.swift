#if GRPC
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import MusterBalancing
import MusterDiscovery
import MusterGRPC
import MusterTesting
import Testing

/// Streams over real connections to real servers.
@Suite(.timeLimit(.minutes(1)))
struct TransportTests {
    @Test func streamsAreSpreadByWeight() async throws {
        let servers = [TestServer("a"), TestServer("b")]
        let instances = [
            try await servers[0].start(weight: 3), try await servers[1].start(weight: 1),
        ]
        try await withService(instances) { client, transport, _ in
            let names = try await client.names(200)
            #expect(names["a"] == 150)
            #expect(names["b"] == 50)
            #expect(transport.balancer.status.eligible.count == 2)
        }
        for server in servers { await server.kill() }
    }

    @Test func anInstanceThatCannotBeReachedIsPassedOverWithoutARetryPolicy() async throws {
        let server = TestServer("b")
        let dead = try await deadInstance("a")
        let alive = try await server.start()
        try await withService([dead, alive]) { client, _, _ in
            let names = try await client.names(50)
            #expect(names == ["b": 50])
        }
        await server.kill()
    }

    @Test func whenNobodyCanBeReachedTheErrorSaysWhoWasTried() async throws {
        let dead = [try await deadInstance("a"), try await deadInstance("b")]
        try await withService(dead) { client, _, _ in
            let error = await #expect(throws: RPCError.self) { try await client.name() }
            #expect(error?.code == .unavailable)
            for instance in dead {
                #expect(error?.message.contains("\(instance.endpoint)") == true)
            }
        }
    }

    @Test func anInstanceThatDiesUnderLoadCostsNoCallWhenRetriesAreOn() async throws {
        let servers = [TestServer("a"), TestServer("b"), TestServer("c")]
        var instances: [Instance] = []
        for server in servers { instances.append(try await server.start()) }
        let config = try retrying(3)
        try await withService(instances, inTurn { $0.serviceConfig = config }) { client, _, _ in
            let answered = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await client.names(200).values.reduce(0, +) }
                }
                var arrived = servers[0].calls
                while arrived < 20 {
                    await Task.yield()
                    arrived = servers[0].calls
                }
                await servers[0].kill()
                return try await group.reduce(0, +)
            }
            #expect(answered == 800)
            // The dead one was not asked for nothing: the others carried the rest.
            #expect(servers[0].calls < 400)
        }
        for server in servers { await server.kill() }
    }

    @Test func aRetryGoesToAnotherInstance() async throws {
        // Always the first one, unless it is to be avoided.
        struct First: InstancePicker {
            let endpoints: [ServiceEndpoint]
            func pick(_ request: PickRequest) -> Int? {
                endpoints.firstIndex { !request.avoiding.contains($0) } ?? 0
            }
        }
        let servers = [TestServer("a"), TestServer("b")]
        let instances = [try await servers[0].start(), try await servers[1].start()]
        servers[0].fail(.unavailable)
        let config = try retrying(2)
        let settings = inTurn {
            $0.serviceConfig = config
            $0.policy = .custom("first") { First(endpoints: $0.instances.map(\.endpoint)) }
        }
        try await withService(instances, settings) { client, _, _ in
            let names1 = try await client.name()
            #expect(names1 == "b")
            #expect(servers[0].calls == 1)
        }
        for server in servers { await server.kill() }
    }

    @Test func anInstanceThatAnswersBadlyIsEjectedAndCallersMistakesAreNot() async throws {
        let servers = [TestServer("a"), TestServer("b")]
        let instances = [try await servers[0].start(), try await servers[1].start()]
        servers[0].fail(.internalError)
        servers[1].fail(.notFound)
        let settings = inTurn { $0.balancing.outliers = OutlierDetection() }
        try await withService(instances, settings) { client, transport, _ in
            for _ in 0..<40 {
                await #expect(throws: RPCError.self) { try await client.name() }
            }
            #expect(transport.balancer.status.ejected.map(\.serviceID) == ["a"])
            #expect(servers[0].calls == 5)
            #expect(servers[1].calls == 35)
        }
        for server in servers { await server.kill() }
    }

    @Test func aNewInstanceGetsCallsAndOneThatLeavesFinishesItsStreams() async throws {
        let servers = [TestServer("a"), TestServer("b")]
        let instances = [try await servers[0].start(), try await servers[1].start()]
        try await withService([instances[0]]) { client, transport, memory in
            let names2 = try await client.names(5)
            #expect(names2 == ["a": 5])
            async let held = client.hold()
            var holds = servers[0].held.makeAsyncIterator()
            await holds.next()
            memory.set([instances[1]], for: "names")
            while transport.balancer.snapshot?.instances != [instances[1]] { await Task.yield() }
            let names3 = try await client.names(5)
            #expect(names3 == ["b": 5])
            servers[0].release()
            let texts = try await held
            #expect(texts == ["a", "end"])
        }
        for server in servers { await server.kill() }
    }

    @Test func anEmptyServiceIsUnavailableWithItsName() async throws {
        try await withService([]) { client, _, _ in
            let error = await #expect(throws: RPCError.self) { try await client.name() }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("\"names\"") == true)
        }
    }

    @Test func aCallThatWaitsUntilReadyWaitsForAnInstance() async throws {
        let server = TestServer("a")
        let instance = try await server.start()
        try await withService([]) { client, _, memory in
            let patient = waiting()
            let hurried = waiting(atMost: .milliseconds(50))
            async let name = client.name(options: patient)
            let error = await #expect(throws: RPCError.self) {
                try await client.name(options: hurried)
            }
            #expect(error?.code == .deadlineExceeded)
            memory.set([instance], for: "names")
            let answer = try await name
            #expect(answer == "a")
        }
        await server.kill()
    }

    @Test func anInstanceThatIsTooSlowCountsAsFailed() async throws {
        let server = TestServer("a")
        let instance = try await server.start()
        let outcomes = Outcomes()
        try await withService([instance], inTurn { $0.balancing.recorder = outcomes }) {
            client,
            _,
            _ in
            let options = limited(to: .seconds(1))
            let error = await #expect(throws: RPCError.self) {
                try await client.hold(options: options)
            }
            #expect(error?.code == .deadlineExceeded)
            #expect(outcomes.all == [.failure])
        }
        await server.kill()
    }

    @Test func aCallThatIsGivenUpSaysNothingOfTheInstance() async throws {
        let server = TestServer("a")
        let instance = try await server.start()
        let outcomes = Outcomes()
        try await withService([instance], inTurn { $0.balancing.recorder = outcomes }) {
            client,
            transport,
            _ in
            let call = Task { try await client.hold() }
            var holds = server.held.makeAsyncIterator()
            await holds.next()
            call.cancel()
            await #expect(throws: (any Error).self) { try await call.value }
            // The stream may have given a part before: then the instance has answered.
            #expect(outcomes.all.count == 1)
            #expect(!outcomes.all.contains(.failure))
            #expect(transport.balancer.status.inFlight == 0)
        }
        await server.kill()
    }

    @Test func aShutdownRefusesNewCallsAndLetsThoseUnderWayEnd() async throws {
        let server = TestServer("a")
        let instance = try await server.start()
        try await InMemoryDiscovery.withDiscovery { memory in
            memory.set([instance], for: "names")
            let transport = try BalancedTransport(
                service: memory.discovery.service("names"),
                transportSecurity: .plaintext,
                settings: inTurn()
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                let client = GRPCClient(transport: transport)
                group.addTask { try await client.runConnections() }
                async let held = client.hold()
                var holds = server.held.makeAsyncIterator()
                await holds.next()
                transport.beginGracefulShutdown()
                let error = await #expect(throws: RPCError.self) { try await client.name() }
                #expect(error?.code == .failedPrecondition)
                server.release()
                let texts = try await held
                #expect(texts == ["a", "end"])
                // And the connections end by themselves.
                try await group.waitForAll()
            }
        }
        await server.kill()
    }

    @Test func methodsAreConfiguredByNameThenServiceThenAll() async throws {
        func config(_ service: String, _ method: String, _ seconds: Int) -> MethodConfig {
            var config = MethodConfig(names: [.init(service: service, method: method)])
            config.timeout = .seconds(seconds)
            return config
        }
        let settings = inTurn {
            $0.serviceConfig.methodConfig = [
                config("", "", 1), config("test.Names", "", 2), config("test.Names", "Name", 3),
            ]
        }
        try await InMemoryDiscovery.withDiscovery { memory in
            let transport = try BalancedTransport(
                service: memory.discovery.service("names"),
                transportSecurity: .plaintext,
                settings: settings
            )
            let other = MethodDescriptor(fullyQualifiedService: "other", method: "Name")
            #expect(transport.config(forMethod: TestServer.method("Name"))?.timeout == .seconds(3))
            #expect(transport.config(forMethod: TestServer.method("Hold"))?.timeout == .seconds(2))
            #expect(transport.config(forMethod: other)?.timeout == .seconds(1))
        }
    }
}
#endif
