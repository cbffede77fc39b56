import CAllocations
import MusterAPI

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Measures what it costs to read a service's instances from the registry's answer.
///
/// One line per number of instances and way of reading: time per instance, the best of many runs,
/// because other programs can only make it slower, and the bytes that stay allocated per instance
/// as long as the result is kept. `balancing` is what a watch reads, `entries` all there is,
/// `foundation` the same as `entries` by `JSONDecoder`. Build with `-c release`.
@main
struct DecodeBenchmark {
    static func main() throws {
        for instances in [1, 10, 100, 1000] {
            let body = body(of: instances)
            let goal = "goal=2500 ns"
            try report("balancing", body, instances, runs: 200, goal) { body in
                var kept: [HealthInstance] = []
                kept.reserveCapacity(instances)
                try HealthEntryDecoder.decode(body) { kept.append($0) }
                precondition(kept.count == instances)
                return kept
            }
            try report("entries", body, instances, runs: 100, "goal=none") { body in
                try HealthEntryDecoder.entries(body)
            }
            try report("foundation", body, instances, runs: 10, "goal=none") { body in
                try JSONDecoder().decode([ServiceEntry].self, from: Data(body))
            }
        }
    }

    private static func report<Result>(
        _ name: String,
        _ body: [UInt8],
        _ instances: Int,
        runs: Int,
        _ goal: String,
        _ read: ([UInt8]) throws -> Result
    ) throws {
        let clock = ContinuousClock()
        var best = Duration.seconds(1000)
        for _ in 0..<runs {
            let took = try clock.measure { _ = try read(body) }
            best = min(best, took)
        }
        let before = allocated_bytes()
        let result = try read(body)
        let kept = max(0, allocated_bytes() - before) / instances
        withExtendedLifetime(result) {
            let nanoseconds = Int(best / .nanoseconds(1)) / instances
            print(
                "decode \(name) instances=\(instances) \(nanoseconds) ns per instance of "
                    + "\(body.count / instances) bytes, \(kept) bytes kept \(goal)"
            )
        }
    }

    /// An answer as Consul writes it: two checks each, seven instances to a node.
    private static func body(of instances: Int) -> [UInt8] {
        Array(("[" + (0..<instances).map(entry).joined(separator: ",") + "]").utf8)
    }

    private static func entry(_ number: Int) -> String {
        let node = number / 7
        let address = "10.1.\(node / 250).\(node % 250)"
        let zone = "eu-1\(["a", "b", "c"][node % 3])"
        let tags = #"["v2","http","primary"]"#
        let indexes = #""CreateIndex":\#(number + 10),"ModifyIndex":\#(number + 40)"#
        return #"""
            {"Node":{"ID":"40e4a748-2192-161a-0510-\#(100_000_000_000 + node)",\#
            "Node":"node-\#(node).example.internal","Address":"\#(address)","Datacenter":"dc1",\#
            "TaggedAddresses":{"lan":"\#(address)","lan_ipv4":"\#(address)",\#
            "wan":"\#(address)","wan_ipv4":"\#(address)"},\#
            "Meta":{"consul-network-segment":"","zone":"\#(zone)"},\#(indexes)},\#
            "Service":{"ID":"orders-\#(number)","Service":"orders","Tags":\#(tags),\#
            "Address":"\#(address)","TaggedAddresses":{\#
            "lan_ipv4":{"Address":"\#(address)","Port":8080},\#
            "wan_ipv4":{"Address":"\#(address)","Port":8080}},\#
            "Meta":{"version":"2.3.1","zone":"\#(zone)"},"Port":\#(8000 + number % 7),\#
            "Weights":{"Passing":10,"Warning":1},"EnableTagOverride":false,\#
            "Proxy":{"MeshGateway":{},"Expose":{}},"Connect":{},\#(indexes)},\#
            "Checks":[{"Node":"node-\#(node).example.internal","CheckID":"serfHealth",\#
            "Name":"Serf Health Status","Status":"passing","Notes":"",\#
            "Output":"Agent alive and reachable","ServiceID":"","ServiceName":"",\#
            "ServiceTags":[],"Type":"","Definition":{},\#(indexes)},\#
            {"Node":"node-\#(node).example.internal","CheckID":"service:orders-\#(number)",\#
            "Name":"Service 'orders' check","Status":"passing","Notes":"",\#
            "Output":"HTTP GET http://\#(address):8080/health: 200 OK Output: ok",\#
            "ServiceID":"orders-\#(number)","ServiceName":"orders","ServiceTags":\#(tags),\#
            "Type":"http","Definition":{},\#(indexes)}]}
            """#
    }
}
