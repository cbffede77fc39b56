import DequeModule
import Model
import NIOCore
import Raft
import Replica
import StateMachine

/// Committed entries on their way to the replica.
extension Consensus {
    func enqueue(_ step: ApplyStep) {
        // What a snapshot replaces need not be applied before it.
        if case .restore = step { steps.removeAll() }
        steps.append(step)
        applyNext()
    }

    /// The replica has published everything up to here.
    func didApply(through index: LogIndex) {
        appliedIndex = index
        input(.applied(through: index))
    }

    /// Hands the next steps over, as far as their entries are in memory.
    private func applyNext() {
        while !isReadingBack, let step = steps.first {
            switch step {
            case .restore(let point):
                steps.removeFirst()
                guard let machine = received.removeValue(forKey: point.index) else {
                    preconditionFailure("no snapshot to restore at \(point.index.rawValue)")
                }
                received = received.filter { $0.key > point.index }
                appliedBytes = 0
                noteMembersSkipped()
                deliver(.restored(machine, through: point.index))
            case .entries(let range):
                let entries = raft.log.entries(in: range)
                guard !entries.isEmpty else { return readBack(range) }
                hand(over: entries, of: range)
            }
        }
    }

    private func readBack(_ range: ClosedRange<LogIndex>) {
        isReadingBack = true
        let found = callback { (consensus, entries: [Entry]) in
            consensus.isReadingBack = false
            // A snapshot may have taken the place of the range meanwhile.
            if case .entries(range)? = consensus.steps.first {
                precondition(!entries.isEmpty, "entry \(range.lowerBound.rawValue) is lost")
                consensus.hand(over: entries, of: range)
            }
            consensus.applyNext()
        }
        disk.enqueue(.read(range, maxBytes: settings.limits.readBackBytes, done: found))
    }

    /// Delivers the first entries of the first step; the rest of it stays.
    private func hand(over entries: [Entry], of range: ClosedRange<LogIndex>) {
        let last = entries[entries.count - 1].index
        steps.removeFirst()
        if last < range.upperBound { steps.prepend(.entries(last.next...range.upperBound)) }
        var committed: [CommittedEntry] = []
        committed.reserveCapacity(entries.count)
        for entry in entries {
            appliedBytes += entry.sizeBytes
            guard case .command(let bytes) = entry.body else { continue }
            committed.append(CommittedEntry(index: entry.index, bytes: bytes))
            settle(bytes)
        }
        deliver(.committed(committed, through: last))
    }

    /// Forgets an own proposal that the log has brought back.
    private func settle(_ bytes: [UInt8]) {
        guard let request = EntryHeader(bytes)?.request, request.origin == proposer.origin,
            request.start == proposer.start
        else { return }
        _ = proposals.take(request.number)
    }
}
