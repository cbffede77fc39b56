/// The encoded pieces of an SRV answer, to be put together in a new random order each time.
///
/// A piece is one SRV record with the records that its target needs. Targets are written in full,
/// and the names of what they need are pointers to them, so a piece does not depend on its place
/// but for those. Gives the same bytes as trimming and encoding the whole message.
///
/// - Source: RFC 1035 §4.1.4, RFC 2782
final class DNSLocationPlan {
    private struct Piece {
        /// The SRV record, its name a pointer to the question.
        var answer: [UInt8]
        /// The records of the target, without their names.
        var additionals: [[UInt8]]
        var targetBytes: Int

        /// Bytes of the piece; with `isCut` it has only the first of its additional records.
        func bytes(isCut: Bool) -> Int {
            let needed = isCut ? additionals.prefix(1) : additionals[...]
            return needed.reduce(answer.count) { $0 + 2 + $1.count }
        }

        /// The same when no name is compressed.
        func plainBytes(isCut: Bool, questionBytes: Int) -> Int {
            let needed = isCut ? 1 : additionals.count
            let pointers = 2 + 2 * needed
            return bytes(isCut: isCut) - pointers + questionBytes + needed * targetBytes
        }
    }

    /// The answer after its id: header and question.
    private let head: [UInt8]
    private let questionBytes: Int
    private var pieces: [Piece]
    /// The OPT record, or nothing.
    private let tail: [UInt8]
    private let limitBytes: Int
    private let answerLimit: Int
    private let setsTruncated: Bool
    /// Bytes of all pieces together.
    private let allBytes: Int

    /// Bytes of memory, about.
    let cost: Int

    /// Takes an answer apart; nil when it is not made of such pieces.
    ///
    /// - Parameters:
    ///   - reply: the answer, whole or trimmed.
    ///   - parts: everything that could be in it.
    ///   - announcedBytes: what the client can take; nil without EDNS.
    ///   - settings: must allow compression.
    init?(
        reply: DNSMessage,
        parts: [DNSPart],
        announcedBytes: Int?,
        settings: DNSSettings
    ) {
        guard let question = reply.questions.first, question.type == .srv, parts.count > 1,
            !settings.disableCompression, reply.authorities.isEmpty
        else { return nil }
        limitBytes = max(announcedBytes ?? 0, DNSLimits.plainUDPBytes)
        // Pointers reach no further than this.
        guard limitBytes < 0x3F00 else { return nil }
        answerLimit = min(max(settings.udpAnswerLimit, 0), DNSLimits.udpAnswers)
        setsTruncated = settings.enableTruncate
        var targets: Set<DNSName> = []
        var pieces: [Piece] = []
        for part in parts {
            guard let piece = Self.piece(part, question.name, &targets) else { return nil }
            pieces.append(piece)
        }
        self.pieces = pieces
        var empty = DNSMessage()
        empty.flags.bits = reply.flags.bits & ~DNSFlags.truncated
        empty.questions = reply.questions
        head = Array(DNSEncoder.encode(empty).dropFirst(2))
        questionBytes = question.name.wire.count
        var options = DNSMessage()
        options.additionals = reply.additionals.filter { $0.type == .opt }
        tail = Array(DNSEncoder.encode(options).dropFirst(12))
        allBytes = pieces.reduce(0) { $0 + $1.bytes(isCut: false) }
        cost = head.count + tail.count + 256 + allBytes + pieces.count * 128
    }

    private static func piece(
        _ part: DNSPart,
        _ question: DNSName,
        _ targets: inout Set<DNSName>
    ) -> Piece? {
        guard part.answers.count == 1, let answer = part.answers.first, answer.name == question,
            case .srv(_, _, _, let target) = answer.data, targets.insert(target).inserted,
            !part.additionals.isEmpty,
            part.additionals.allSatisfy({ $0.name == target && $0.type != .cname })
        else { return nil }
        return Piece(
            answer: [0xC0, 0x0C] + withoutName(answer),
            additionals: part.additionals.map { withoutName($0) },
            targetBytes: target.wire.count
        )
    }

    private static func withoutName(_ record: DNSRecord) -> [UInt8] {
        var message = DNSMessage()
        message.answers = [record]
        return Array(
            DNSEncoder.encode(message, compresses: false).dropFirst(12 + record.name.wire.count)
        )
    }

    /// An answer with a new choice of pieces, after its id.
    func answer<Random: RandomNumberGenerator>(using random: inout Random) -> [UInt8] {
        // Seven bytes less, as when a whole message is trimmed; two for the id.
        let room = limitBytes - 7 - 2 - head.count
        let isPlain = limitBytes == DNSLimits.plainUDPBytes && pieces.count > answerLimit
        let isCut = isPlain || allBytes > room
        let wanted = isPlain ? answerLimit : pieces.count
        var count = 0
        var used = 0
        while count < wanted {
            let other = Int.random(in: count..<pieces.count, using: &random)
            if other != count { pieces.swapAt(count, other) }
            if isCut {
                used +=
                    isPlain
                    ? pieces[count].plainBytes(isCut: true, questionBytes: questionBytes)
                    : pieces[count].bytes(isCut: true)
                if count > 0, used > room { break }
            }
            count += 1
        }
        return assemble(count, isCut: isCut)
    }

    private func assemble(_ count: Int, isCut: Bool) -> [UInt8] {
        var bytes = head
        bytes.reserveCapacity(limitBytes)
        var targets: [UInt16] = []
        var additionals = tail.isEmpty ? 0 : 1
        for piece in pieces[..<count] {
            // The target ends the record; two bytes for the id, which is not here.
            let offset = 2 + bytes.count + piece.answer.count - piece.targetBytes
            targets.append(0xC000 | UInt16(truncatingIfNeeded: offset))
            bytes += piece.answer
        }
        for (piece, target) in zip(pieces[..<count], targets) {
            for additional in isCut ? piece.additionals.prefix(1) : piece.additionals[...] {
                bytes.append(UInt8(truncatingIfNeeded: target >> 8))
                bytes.append(UInt8(truncatingIfNeeded: target))
                bytes += additional
                additionals += 1
            }
        }
        bytes += tail
        if setsTruncated, count < pieces.count { bytes[0] |= UInt8(DNSFlags.truncated >> 8) }
        bytes[4] = UInt8(truncatingIfNeeded: count >> 8)
        bytes[5] = UInt8(truncatingIfNeeded: count)
        bytes[8] = UInt8(truncatingIfNeeded: additionals >> 8)
        bytes[9] = UInt8(truncatingIfNeeded: additionals)
        return bytes
    }
}

/// What one instance contributes to an answer.
struct DNSPart {
    var answers: [DNSRecord]
    var additionals: [DNSRecord] = []
}
