import Model
import Testing
import Wire

@testable import StateStore

/// Services and checks that are written from their JSON, against the way by the whole record.
@Suite struct RecordFragmentTests {
    /// What both ways write; nothing where the short one gives up.
    private struct Ways: Equatable {
        let short: [UInt8]?
        let whole: [UInt8]

        /// Bytes in front, as there are in a stream.
        static let before: [UInt8] = [1, 2, 3]

        init(short: (inout RecordOutput) -> Bool, whole: (inout RecordOutput) -> Void) {
            var outputs = (RecordOutput(pieceBytes: 1), RecordOutput(pieceBytes: 1))
            for byte in Self.before {
                outputs.0.writer.byte(byte)
                outputs.1.writer.byte(byte)
            }
            whole(&outputs.1)
            self.whole = outputs.1.writer.bytes
            self.short = short(&outputs.0) ? outputs.0.writer.bytes : nil
            if self.short == nil { #expect(outputs.0.writer.bytes == Self.before) }
        }

        init(_ record: ServiceRecord) {
            self.init(short: { $0.serviceFields(record) }, whole: { $0.serviceRecord(record) })
        }

        init(_ record: CheckRecord) {
            self.init(short: { $0.checkFields(record) }, whole: { $0.value(record.check) })
        }
    }

    private static func expectAgreement(in store: StateStore) -> (services: Int, checks: Int) {
        var counts = (services: 0, checks: 0)
        for entry in store.nodeTable.all {
            for element in entry.services {
                let ways = Ways(element.record)
                // A nil here means that every record takes the slow way.
                #expect(ways.short == ways.whole, "\(element.record.service)")
                counts.services += 1
            }
            for check in entry.checks {
                let ways = Ways(check)
                #expect(ways.short == ways.whole, "\(check.check)")
                counts.checks += 1
            }
        }
        return counts
    }

    @Test(arguments: (1...8).map { UInt64($0) })
    func `random records come out as by way of the whole record`(seed: UInt64) {
        var generator = RecordGenerator(seed: seed &* 7919)
        var registry = TestStore()
        for node in ["n1", "nöde <2>", "\"n3\"\\"] {
            for number in 0..<12 {
                let id = "s\(number) \(generator.text().prefix(30))"
                var command = RegisterCommand()
                command.node.name = node
                command.node.address = "10.0.0.1"
                command.service = generator.service(id: id)
                command.checks = [
                    generator.check(id: "c\(number) <ü>", serviceID: id),
                    generator.check(id: "n\(number)", serviceID: ""),
                ]
                for place in command.checks.indices { command.checks[place].node = node }
                #expect(registry.refusal(of: .register(command)) == "")
            }
        }
        let counts = Self.expectAgreement(in: registry.store)
        #expect(counts == (36, 72))
    }

    @Test(arguments: (1...4).map { UInt64($0) })
    func `the records of a random history come out so too`(seed: UInt64) {
        var generator = CommandGenerator(seed: seed &* 104_729)
        var registry = TestStore()
        var services = 0
        for _ in 0..<300 {
            registry.apply(generator.next(at: registry.index + 1))
            services += Self.expectAgreement(in: registry.store).services
        }
        #expect(services > 0)
    }

    private typealias Change = @Sendable (inout CatalogService) -> Void

    /// Each of the optional parts alone, so that a mistake in one names itself.
    private static let variants: [(name: String, change: Change)] = [
        ("plain", { _ in }),
        ("no tags", { $0.tags = nil }),
        ("empty tags", { $0.tags = [] }),
        ("15 tags", { $0.tags = (0..<15).map { "t\($0)" } }),
        ("16 tags", { $0.tags = (0..<16).map { "t\($0)" } }),
        ("empty meta", { $0.meta = [:] }),
        ("meta", { $0.meta = ["z": "<>ü", "Z-1": "\"\\\n", "_": ""] }),
        ("address", { $0.taggedAddresses = ["lan": .init(), "ä\"<": .init()] }),
        ("empty addresses", { $0.taggedAddresses = [:] }),
        ("negative port", { $0.port = -5 }),
        ("least port", { $0.port = .min }),
        ("negative weights", { $0.weights = Weights(passing: -1, warning: -200) }),
        ("sidecar", { $0.locallyRegisteredAsSidecar = true }),
        ("override", { $0.enableTagOverride = true }),
        ("native", { $0.connect.native = true }),
        ("kind", { $0.kind = .meshGateway }),
        ("config", { $0.proxy.config = ["n": .integer(3), "m": .object(["k": .array([])])] }),
        ("upstreams", { $0.proxy.upstreams = [Upstream()] }),
    ]

    @Test(arguments: variants.indices)
    func `every part of a service alone`(variant: Int) throws {
        var service = CatalogService()
        service.id = "s1"
        service.name = "web"
        service.tags = ["v1"]
        Self.variants[variant].change(&service)
        var command = RegisterCommand()
        command.node.name = "n1"
        command.node.address = "10.0.0.1"
        command.service = service
        var registry = TestStore()
        #expect(registry.refusal(of: .register(command)) == "")
        let entry = try #require(registry.store.nodeTable.all.first { _ in true })
        let record = try #require(entry.services.first { _ in true }).record
        let ways = Ways(record)
        #expect(ways.short == ways.whole, "\(Self.variants[variant].name)")
        // What the bytes say, as read back, is what was registered.
        let bytes = Array(ways.whole.dropFirst(Ways.before.count))
        let decoded = try MessagePack.decode(CatalogService.self, from: bytes[...])
        #expect(decoded.tags == service.tags)
        #expect(decoded.port == service.port)
        #expect(decoded.locallyRegisteredAsSidecar == service.locallyRegisteredAsSidecar)
        #expect(decoded.meta == service.meta)
    }
}
