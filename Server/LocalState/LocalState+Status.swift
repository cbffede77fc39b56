package import Model

extension LocalState {
    /// Takes the report of a TTL check's owner.
    ///
    /// - Source: Consul: PUT /v1/agent/check/{pass,warn,fail,update}/:id.
    package mutating func setTTL(
        check id: String,
        status: CheckStatus,
        output: String,
        now: Instant,
        into effects: inout LocalEffects
    ) throws(RegistrationError) {
        guard let entry = check(id), entry.kind == .ttl, let ttl = entry.definition?.ttl else {
            throw RegistrationError(
                .failed,
                "CheckID \"\(id)\" does not have associated TTL"
            )
        }
        let kept = Self.shortened(output, to: entry.outputLimit)
        checkTable[id]?.lastReport = kept
        checkTable[id]?.expiresAt = now.advanced(by: ttl)
        update(id, status: status, output: kept, now: now, into: &effects)
        arm(id)
        effects.persist.append(.saveCheckState(id: id, lifetime: ttl))
        refreshAliases(now: now, into: &effects)
    }

    /// Puts back the verdict of a TTL check that was kept on disk and has not expired.
    package mutating func restore(
        check id: String,
        status: CheckStatus,
        output: String,
        now: Instant,
        into effects: inout LocalEffects
    ) {
        guard check(id)?.kind == .ttl, status.isValid else { return }
        checkTable[id]?.lastReport = output
        update(id, status: status, output: output, now: now, into: &effects)
        refreshAliases(now: now, into: &effects)
    }

    /// Takes the verdict of one run of a check; the thresholds decide whether it counts.
    ///
    /// - Source: Consul: docs/discovery/checks "Success/Failures before passing/critical".
    package mutating func report(
        check id: String,
        status: CheckStatus,
        output: String,
        now: Instant,
        into effects: inout LocalEffects
    ) {
        guard let entry = check(id), let definition = entry.definition else { return }
        if status == .critical {
            checkTable[id]?.successes = 0
            checkTable[id]?.failures = min(entry.failures + 1, definition.failuresBeforeCritical)
            guard entry.failures + 1 >= definition.failuresBeforeCritical else {
                effects.note(
                    .warning,
                    "Check failed but has not reached failure threshold: check=\(id)"
                )
                return
            }
        } else {
            checkTable[id]?.failures = 0
            checkTable[id]?.successes = min(entry.successes + 1, definition.successBeforePassing)
            guard entry.successes + 1 >= definition.successBeforePassing else {
                effects.note(
                    .debug,
                    "Check passed but has not reached success threshold: check=\(id)"
                )
                return
            }
        }
        // The probe kept to the limit; what it says around the output is bounded here.
        let bound = entry.outputLimit + configuration.limits.outputFrameBytes
        let kept = Self.shortened(output, to: bound)
        let before = entry.check.status
        update(id, status: status, output: kept, now: now, into: &effects)
        arm(id)
        if before != status { note(change: id, to: status, into: &effects) }
        refreshAliases(now: now, into: &effects)
    }

    /// Does what has fallen due: expired TTLs, deferred outputs, services critical for too long.
    package mutating func advance(to now: Instant, into effects: inout LocalEffects) {
        var changed = false
        while let entry = deadlines.pop(dueAt: now) {
            let id = entry.checkID
            guard checkTable[id]?.armedAt == entry.due else { continue }
            checkTable[id]?.armedAt = nil
            changed = fallDue(id, now: now, into: &effects) || changed
            arm(id)
        }
        if changed { refreshAliases(now: now, into: &effects) }
    }

    private mutating func fallDue(
        _ id: String,
        now: Instant,
        into effects: inout LocalEffects
    ) -> Bool {
        guard let entry = check(id) else { return false }
        var changed = false
        if let expiry = entry.expiresAt, expiry <= now {
            checkTable[id]?.expiresAt = nil
            effects.note(.warning, "Check missed TTL, is now critical: check=\(id)")
            let output =
                entry.lastReport.isEmpty
                ? "TTL expired"
                : "TTL expired (last output before timeout follows): \(entry.lastReport)"
            update(id, status: .critical, output: output, now: now, into: &effects)
            changed = true
        }
        if let due = checkTable[id]?.outputDue, due <= now {
            checkTable[id]?.outputDue = nil
            markUnsynced(check: id, into: &effects)
        }
        let delay = entry.removalDelay
        if delay > .zero, !entry.check.serviceID.isEmpty,
            let since = checkTable[id]?.criticalSince, since.advanced(by: delay) <= now
        {
            effects.note(
                .info,
                "Check for service has been critical for too long; deregistering service: "
                    + "service=\(entry.check.serviceID) check=\(id)"
            )
            // Removing a registered service by its own id cannot be refused.
            _ = try? deregisterService(entry.check.serviceID, now: now, into: &effects)
            changed = true
        }
        return changed
    }

    /// Stores a verdict: a new status goes to the catalog at once, a new output alone later.
    mutating func update(
        _ id: String,
        status: CheckStatus,
        output: String,
        now: Instant,
        into effects: inout LocalEffects
    ) {
        guard let entry = check(id) else { return }
        let output = configuration.discardsOutput ? "" : output
        if status != .critical {
            checkTable[id]?.criticalSince = nil
        } else if entry.criticalSince == nil {
            checkTable[id]?.criticalSince = now
        }
        guard entry.check.status != status || entry.check.output != output else { return }
        checkTable[id]?.check.status = status
        checkTable[id]?.check.output = output
        let interval = configuration.outputUpdateInterval
        guard entry.check.status == status, interval > .zero else {
            checkTable[id]?.outputDue = nil
            return markUnsynced(check: id, into: &effects)
        }
        guard entry.outputDue == nil else { return }
        // Between half and one and a half intervals, so that many agents do not write at once.
        let spread = Int64.random(in: 0...interval.rawValue, using: &random)
        let delay = Nanoseconds(rawValue: interval.rawValue / 2 + spread)
        checkTable[id]?.outputDue = now.advanced(by: delay)
        arm(id)
    }

    mutating func markUnsynced(check id: String, into effects: inout LocalEffects) {
        let version = nextVersion()
        checkTable[id]?.inSync = false
        checkTable[id]?.version = version
        unsyncedChecks.insert(id)
        effects.syncWanted = true
    }

    private func note(
        change id: String,
        to status: CheckStatus,
        into effects: inout LocalEffects
    ) {
        let level: Note.Level = status == .passing ? .info : .warning
        effects.note(level, "Check is now \(status.rawValue): check=\(id)")
    }

    /// Cuts an output to `limit` bytes with Consul's remark about the rest.
    static func shortened(_ output: String, to limit: Int) -> String {
        let total = output.utf8.count
        guard total > limit else { return output }
        let kept = String(decoding: output.utf8.prefix(limit), as: UTF8.self)
        return "\(kept) ... (captured \(limit) of \(total) bytes)"
    }
}
