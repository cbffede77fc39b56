/// How an ``InMemoryRegistry`` may behave badly.
public struct Misbehaviour: Sendable {
    enum Kind: Sendable {
        case silence
        case refusal(ScriptedReply)
        case half
        case emptyLists
        case duplicates
        case index((@Sendable (UInt64) -> UInt64))
    }

    let kind: Kind

    /// Requests hang; they are answered when it behaves again.
    public static let silence = Misbehaviour(kind: .silence)

    /// Connections are closed without an answer.
    public static let hangUp = Misbehaviour(kind: .refusal(.hangUp))

    /// Every request is refused, like ``ScriptedReply/unavailable`` or ``ScriptedReply/tooMany``.
    public static func refuse(_ reply: ScriptedReply) -> Misbehaviour {
        Misbehaviour(kind: .refusal(reply))
    }

    /// Answers to reads break off in the middle.
    public static let halfReplies = Misbehaviour(kind: .half)

    /// Answers to reads list nothing.
    public static let emptyLists = Misbehaviour(kind: .emptyLists)

    /// Answers to reads list everything twice.
    public static let duplicates = Misbehaviour(kind: .duplicates)

    /// Answers to reads have the index 0, which no registry may say.
    public static let indexZero = Misbehaviour(kind: .index { _ in 0 })

    /// Answers to reads have an index that is lower by so much, but at least 1.
    public static func indexLower(by distance: UInt64) -> Misbehaviour {
        Misbehaviour(kind: .index { $0 > distance ? $0 - distance : 1 })
    }

    /// What every request gets, nil when it depends on the request.
    var refusal: ScriptedReply? {
        if case .refusal(let reply) = kind { reply } else { nil }
    }

    /// A good answer to a read, turned into a bad one.
    func bend(_ reply: ScriptedReply) -> ScriptedReply {
        var reply = reply
        let isList = reply.bytes.first == UInt8(ascii: "[") && reply.bytes.count > 2
        switch kind {
        case .silence, .refusal: return reply
        case .half: return reply.cutOff()
        case .emptyLists: if isList { reply.body = "[]" }
        case .duplicates:
            if isList {
                let inner = reply.bytes.dropFirst().dropLast()
                reply.bytes = Array("[".utf8) + inner + Array(",".utf8) + inner + Array("]".utf8)
            }
        case .index(let change):
            if let index = reply.index { reply.index = change(index) }
        }
        return reply
    }
}
