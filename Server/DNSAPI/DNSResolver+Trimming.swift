extension DNSResolver {
    /// Leaves out what does not fit into the answer, and says so when that is switched on.
    ///
    /// - Source: Consul: `udp_answer_limit`, `enable_truncate`
    func trim(_ reply: inout DNSMessage, for request: Request) {
        let count = reply.answers.count
        switch request.transport {
        case .udp: trimUDP(&reply, request)
        case .tcp: trimTCP(&reply, request)
        }
        if reply.answers.count < count, settings.enableTruncate {
            reply.flags.insert(DNSFlags.truncated)
        }
    }

    private func trimUDP(_ reply: inout DNSMessage, _ request: Request) {
        let announced = min(request.announcedBytes ?? 0, DNSLimits.datagramBytes)
        let limit = max(announced, DNSLimits.plainUDPBytes)
        var compresses = !settings.disableCompression
        let additionals = Additionals(reply.additionals)
        let answerLimit = min(max(settings.udpAnswerLimit, 0), DNSLimits.udpAnswers)
        if limit == DNSLimits.plainUDPBytes, reply.answers.count > answerLimit {
            // A client of this kind may sit behind one that does not compress.
            compresses = false
            reply.answers.removeLast(reply.answers.count - answerLimit)
            reply.additionals = additionals.needed(by: reply.answers)
        }
        // Seven bytes less, for the record that EDNS adds later.
        shorten(&reply, to: limit - 7, additionals, compresses: compresses)
    }

    private func trimTCP(_ reply: inout DNSMessage, _ request: Request) {
        let limit =
            request.question.type == .srv ? DNSLimits.tcpServiceAnswers : DNSLimits.tcpAnswers
        let additionals = Additionals(reply.additionals)
        if reply.answers.count > limit {
            reply.answers.removeLast(reply.answers.count - limit)
        }
        shorten(
            &reply,
            to: DNSLimits.tcpBytes,
            additionals,
            compresses: !settings.disableCompression
        )
    }

    /// Keeps as many answers as fit, and at least one.
    private func shorten(
        _ reply: inout DNSMessage,
        to limit: Int,
        _ additionals: Additionals,
        compresses: Bool
    ) {
        func fits(_ message: DNSMessage) -> Bool {
            DNSEncoder.encode(message, compresses: compresses).count <= limit
        }
        guard reply.answers.count > 1, !fits(reply) else { return }
        reply.authorities = []
        let answers = reply.answers
        var shortened = reply
        // Each record takes twelve bytes and more, so that no more than this can fit.
        var low = 1
        var high = min(answers.count, limit / 12 + 1)
        while low < high {
            let middle = (low + high + 1) / 2
            shortened.answers = Array(answers[..<middle])
            shortened.additionals = additionals.needed(by: shortened.answers)
            if fits(shortened) { low = middle } else { high = middle - 1 }
        }
        reply.answers = Array(answers[..<low])
        reply.additionals = additionals.needed(by: reply.answers)
    }
}

/// The additional records by name, to find the ones that a part of the answers needs.
private struct Additionals {
    private var first: [DNSName: DNSRecord] = [:]

    init(_ records: [DNSRecord]) {
        for record in records where first[record.name.lowercased] == nil {
            first[record.name.lowercased] = record
        }
    }

    /// One record for each target, and for what that leads to.
    func needed(by answers: [DNSRecord]) -> [DNSRecord] {
        guard !first.isEmpty else { return [] }
        var resolved: Set<DNSName> = []
        var records: [DNSRecord] = []
        for answer in answers {
            guard case .srv(_, _, _, let target) = answer.data else { continue }
            var name = target.lowercased
            while resolved.insert(name).inserted, let record = first[name] {
                records.append(record)
                guard case .cname(let next) = record.data else { break }
                name = next.lowercased
            }
        }
        return records
    }
}
