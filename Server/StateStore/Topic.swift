/// Something a query reads and a commit may touch.
///
/// A query lists the topics its answer depends on; a commit lists those it touched. A parked query
/// is
/// evaluated again only when the two meet. Names are folded (`String.folded`): take topics from
/// answers
/// rather than making them by hand.
package enum Topic: Hashable, Sendable {
    /// One key.
    case key(String)
    /// Every key that begins with this.
    case keyPrefix(String)
    /// All of a kind.
    case all(Kind)
    /// One of a kind, by a hash of its name: a collision wakes a query in vain and does no harm.
    case one(Kind, UInt64)

    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// Node records.
        case node
        /// Service instances, of all nodes or of one node.
        case nodeServices
        /// Which services exist and which tags each has.
        case serviceNames
        /// What `health/service` shows of one service: instances, their checks, their nodes.
        case service
        /// The same of the instances that offer a service through the mesh.
        case connect
        /// Checks, all or those of one node.
        case nodeChecks
        /// Which checks have one status, and what they look like.
        case checkState
        /// The checks of one service's instances.
        case serviceChecks
        case session
        case nodeSessions
        case coordinate
        case autopilot
    }
}

extension Topic {
    package static let nodes = Topic.all(.node)
    package static let services = Topic.all(.nodeServices)
    package static let serviceNames = Topic.all(.serviceNames)
    package static let checks = Topic.all(.nodeChecks)
    package static let sessions = Topic.all(.session)
    package static let coordinates = Topic.all(.coordinate)
    package static let autopilot = Topic.all(.autopilot)

    package static func node(_ folded: String) -> Topic { named(.node, folded) }
    package static func nodeServices(_ folded: String) -> Topic { named(.nodeServices, folded) }
    package static func service(_ folded: String) -> Topic { named(.service, folded) }
    package static func connect(_ folded: String) -> Topic { named(.connect, folded) }
    package static func nodeChecks(_ folded: String) -> Topic { named(.nodeChecks, folded) }
    package static func serviceChecks(_ folded: String) -> Topic { named(.serviceChecks, folded) }
    package static func checksInState(_ status: String) -> Topic { named(.checkState, status) }
    package static func session(_ folded: String) -> Topic { named(.session, folded) }
    package static func nodeSessions(_ folded: String) -> Topic { named(.nodeSessions, folded) }
    package static func coordinate(_ folded: String) -> Topic { named(.coordinate, folded) }

    private static func named(_ kind: Kind, _ name: String) -> Topic {
        .one(kind, Bytes.with(name) { hash($0) })
    }

    /// Mixes a name into 64 bits: eight bytes at a time, multiplied to 128 bits and folded.
    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
        var offset = 0
        while offset < bytes.count {
            var word: UInt64 = 0
            if offset + 8 <= bytes.count {
                word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            } else {
                for byte in bytes[offset...] { word = word << 8 | UInt64(byte) }
            }
            let product = (state ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
            state = product.high ^ product.low ^ state << 1
            offset += 8
        }
        return state
    }
}
