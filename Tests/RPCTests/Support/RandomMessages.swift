import Model
import RPC
import Raft
import RandomSupport

extension SeededGenerator {
    mutating func below(_ bound: Int) -> Int {
        Int.random(in: 0..<bound, using: &self)
    }

    mutating func bytes(upTo count: Int) -> [UInt8] {
        (0..<below(count + 1)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    mutating func text() -> String {
        String((0..<below(12)).map { _ in "aß€😀z-9".randomElement(using: &self) ?? "a" })
    }

    mutating func position() -> LogPosition {
        LogPosition(index: LogIndex(rawValue: next()), term: Term(rawValue: next()))
    }

    mutating func id() -> NodeID {
        NodeID(rawValue: UInt128(next()) << 64 | UInt128(next()))
    }
}

/// Messages of every kind with contents by chance.
enum RandomMessages {
    static let sender = NodeID(rawValue: 7)
    static let receiver = NodeID(rawValue: 9)
    static let kinds = 18

    static func configuration(_ rng: inout SeededGenerator) -> ClusterConfiguration {
        func half() -> [ClusterMember] {
            (0..<rng.below(5)).map { _ in
                let role: MemberRole = rng.below(2) == 0 ? .voter : .learner
                return ClusterMember(id: rng.id(), role: role, address: rng.text())
            }
        }
        let members = half()
        return ClusterConfiguration(members: members, outgoing: half())
    }

    static func entry(_ rng: inout SeededGenerator) -> Entry {
        let body: Entry.Body =
            switch rng.below(3) {
            case 0: .noop
            case 1: .command(rng.bytes(upTo: 100))
            default: .configuration(configuration(&rng))
            }
        let position = rng.position()
        return Entry(index: position.index, term: position.term, body: body)
    }

    static func append(_ rng: inout SeededGenerator) -> RaftMessage.Append {
        RaftMessage.Append(
            previous: rng.position(),
            entries: (0..<rng.below(8)).map { _ in entry(&rng) },
            commit: LogIndex(rawValue: rng.next())
        )
    }

    private static func body(_ kind: Int, _ rng: inout SeededGenerator) -> RaftMessage.Body? {
        let isSet = rng.below(2) == 0
        switch kind {
        case 0: return .preVoteRequest(last: rng.position())
        case 1: return .preVoteResponse(granted: isSet)
        case 2: return .voteRequest(last: rng.position(), isTransfer: isSet)
        case 3: return .voteResponse(granted: isSet)
        case 4: return .append(append(&rng))
        case 5: return .appendResponse(.accepted(match: rng.position().index))
        case 6:
            let previous = rng.position().index
            return .appendResponse(.rejected(previous: previous, hint: rng.position()))
        case 7: return .heartbeat(round: rng.next(), commit: rng.position())
        case 8: return .heartbeatResponse(round: rng.next())
        case 9: return .readRequest(id: rng.next())
        case 10: return .readResponse(id: rng.next(), index: isSet ? rng.position().index : nil)
        case 11: return .timeoutNow
        case 12: return .termNotice
        default: return nil
        }
    }

    static func message(_ kind: Int, _ rng: inout SeededGenerator) -> PeerMessage {
        let term = Term(rawValue: rng.next())
        if let body = body(kind, &rng) {
            return .raft(RaftMessage(from: sender, to: receiver, term: term, body: body))
        }
        switch kind {
        case 13:
            return .forward(
                (0..<rng.below(6)).map { _ in
                    ForwardedWrite(
                        number: rng.next(),
                        start: rng.next(),
                        floor: rng.next(),
                        payload: rng.bytes(upTo: 60)
                    )
                }
            )
        case 14:
            return .forwardRefused(
                (0..<rng.below(6)).map { _ in
                    RefusedWrite(number: rng.next(), reason: UInt8(rng.below(256)))
                }
            )
        case 15:
            let kind = UInt16(rng.below(65536))
            return .request(id: rng.next(), kind: kind, body: rng.bytes(upTo: 90))
        case 16:
            return .response(id: rng.next(), failure: rng.text(), body: rng.bytes(upTo: 90))
        case 17:
            return .standing(rng.position().term, kept: rng.position().index)
        default:
            return .response(id: rng.next(), failure: nil, body: rng.bytes(upTo: 90))
        }
    }

    static func start(_ rng: inout SeededGenerator) -> ServerStart {
        var openings = Openings()
        for _ in 0..<rng.below(40) { openings.open(as: rng.id().rawValue) }
        let position = rng.position()
        return ServerStart(openings: openings, term: position.term, last: position.index)
    }

    static func greeting(_ rng: inout SeededGenerator) -> ServerGreeting {
        var greeting = ServerGreeting(
            cluster: rng.id().rawValue,
            server: rng.id(),
            start: start(&rng),
            configuration: LogIndex(rawValue: rng.next()),
            address: rng.text(),
            nodeName: rng.text(),
            datacenter: rng.text(),
            bootstrapExpect: rng.below(9)
        )
        for _ in 0..<rng.below(5) {
            let (id, address) = (rng.id(), rng.text())
            greeting.known.append(KnownServer(id: id, address: address, nodeName: rng.text()))
            let key = rng.text()
            greeting.attributes[key] = rng.text()
        }
        return greeting
    }
}

extension ServerStart {
    /// Of a server whose log is new.
    static var first: ServerStart {
        var openings = Openings()
        openings.open(as: 1)
        return ServerStart(openings: openings, term: .zero, last: .zero)
    }
}
