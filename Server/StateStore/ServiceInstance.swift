package import Model

/// A service instance with its node and the checks that speak for it: one entry of
/// `health/service`.
package struct ServiceInstance: Sendable {
    package let node: NodeRecord
    /// The checks of the node itself, ascending by id.
    package let nodeChecks: [CheckRecord]
    package let service: ServiceRecord
    let ownChecks: CheckList

    /// Consul's order: the node's checks, then the service's.
    package var checks: [CheckRecord] {
        nodeChecks + ownChecks.array
    }

    /// Where to reach the instance: its own address, or else its node's.
    package var address: String {
        service.address.isEmpty ? node.node.address : service.address
    }

    /// True when each check satisfies the condition; calls it in Consul's order until one does not.
    package func allChecks(_ condition: (CheckRecord) -> Bool) -> Bool {
        guard nodeChecks.allSatisfy(condition) else { return false }
        switch ownChecks {
        case .none: return true
        case .one(let check): return condition(check)
        case .many(let checks): return checks.allSatisfy(condition)
        }
    }

    /// The worst status of the checks: critical, warning or passing; passing without any.
    package var worstStatus: CheckStatus {
        var worst = CheckStatus.passing
        _ = allChecks { check in
            switch check.status {
            case .critical: worst = .critical
            case .warning where worst == .passing: worst = .warning
            default: break
            }
            return worst != .critical
        }
        return worst
    }

    /// Writes the entry that `health/service` shows, piece by piece, from prepared fragments.
    ///
    /// - Source: Consul: GET /v1/health/service/:service
    @inline(__always)
    package func writeHealthJSON(_ write: (UnsafeRawBufferPointer) -> Void) {
        Self.put("{\"Node\":", write)
        node.json.withUnsafeBytes(write)
        Self.put(",\"Service\":", write)
        service.withJSON(write)
        Self.put(",\"Checks\":[", write)
        var isFirst = true
        _ = allChecks { check in
            if !isFirst { Self.put(",", write) }
            isFirst = false
            check.withJSON(write)
            return true
        }
        Self.put("]}", write)
    }

    private static func put(_ text: StaticString, _ write: (UnsafeRawBufferPointer) -> Void) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// The whole `health/service` reply, without a final newline.
    package static func healthJSON(_ instances: [ServiceInstance]) -> [UInt8] {
        var size = 2
        for instance in instances {
            size += 1
            instance.writeHealthJSON { size += $0.count }
        }
        return Array(unsafeUninitializedCapacity: size) { buffer, count in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            func put(_ byte: UInt8) {
                bytes[count] = byte
                count += 1
            }
            put(UInt8(ascii: "["))
            for (position, instance) in instances.enumerated() {
                if position > 0 { put(UInt8(ascii: ",")) }
                instance.writeHealthJSON { piece in
                    UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(from: piece)
                    count += piece.count
                }
            }
            put(UInt8(ascii: "]"))
        }
    }
}
