import Model
import Testing
import Wire

@testable import StateStore

/// Replies made of prepared fragments are the bytes that encoding the records afresh would give.
@Suite struct ReplyTests {
    private static let odd = "a\"b\\c{[,]}:\u{2028}<é>"

    /// A store of instances that have something in every field, or nothing.
    private static func filled() -> TestStore {
        var test = TestStore()
        for (number, isRich) in [(1, true), (2, false), (3, true)] {
            var command = RegisterCommand()
            command.node.name = "n\(number)"
            command.node.address = "10.0.0.\(number)"
            var service = CatalogService()
            service.id = "s\(number)"
            service.name = "web"
            if isRich {
                command.node.meta = ["k": odd, "Meta": "CreateIndex"]
                command.node.taggedAddresses = ["lan": "1.1.1.1", "wan": odd]
                service.kind = number == 1 ? .connectProxy : .typical
                service.proxy.destinationServiceName = "web"
                service.proxy.config = ["deep": .array([.object(["x": .string(odd)])])]
                service.connect.native = number == 3
                service.tags = ["v1", odd]
                service.meta = ["Service": odd, "empty": ""]
                service.address = odd
                var address = ServiceAddress()
                address.address = odd
                service.taggedAddresses = ["lan": address]
                service.weights = Weights(passing: 10, warning: 0)
                service.enableTagOverride = true
                service.port = 65_535
            }
            command.service = service
            test.apply(.register(command))
        }
        return test
    }

    @Test func `catalog entries`() {
        let instances = Self.filled().store.serviceInstances("web").value
        #expect(instances.count == 3)
        for instance in instances {
            var writer = JSONWriter()
            CatalogJSON.serviceNode(instance.node.node, instance.service.service, into: &writer)
            var made: [UInt8] = []
            instance.writeCatalogJSON { made += $0 }
            #expect(text(made) == text(writer.bytes))
        }
        let list = text(ServiceInstance.catalogJSON(instances))
        #expect(list.hasPrefix("[{\"ID\":") && list.hasSuffix("}]"))
    }

    @Test func `health entries`() {
        var test = Self.filled()
        let checks = [check("a", output: Self.odd), check("b", .warning, service: "s2")]
        test.register(node: "n2", address: "10.0.0.2", checks: checks)
        for instance in test.store.serviceInstances("web").value {
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("Node")
            writer.value(instance.node.node)
            writer.key("Service")
            CatalogJSON.service(instance.service.service, into: &writer)
            writer.key("Checks")
            writer.beginArray()
            for check in instance.checks { CatalogJSON.check(check.check, into: &writer) }
            writer.endArray()
            writer.endObject()
            #expect(text(ServiceInstance.healthJSON([instance])) == "[\(text(writer.bytes))]")
        }
        #expect(text(ServiceInstance.healthJSON([])) == "[]")
    }

    @Test func `records come back from their fragments as they went in`() {
        for seed in UInt64(1)...5 {
            var generator = CommandGenerator(seed: seed)
            var test = TestStore()
            for _ in 0..<100 { test.apply(generator.next(at: test.index + 1)) }
            for instance in test.store.serviceDump().value {
                var service = instance.service.service
                #expect(text(Fragment.encode(&service)) == show(instance.service))
                for record in instance.checks {
                    var check = record.check
                    #expect(text(Fragment.encode(&check)) == show(record))
                }
            }
        }
    }

    @Test func `fields of a fragment are told apart whatever their values hold`() {
        let object = Array(#"{"A":"\"},","B":{"x":[1,{}]},"C":[],"D":null,"E":-1}"#.utf8)
        object.withUnsafeBytes { bytes in
            let found = FragmentFields(bytes).map { "\(text($0.key))=\(text($0.value))" }
            #expect(found == [#"A="\"},""#, #"B={"x":[1,{}]}"#, "C=[]", "D=null", "E=-1"])
        }
        for broken in ["", "{", "{}", "{\"", "{\"A\"", "{\"A\":"] {
            Array(broken.utf8).withUnsafeBytes { #expect(Array(FragmentFields($0)).isEmpty) }
        }
    }
}
