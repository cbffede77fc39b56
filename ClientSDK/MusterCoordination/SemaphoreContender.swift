import Logging
import MusterAPI
import Synchronization

/// Contends for a place in a semaphore.
final class SemaphoreContender: Contender {
    private let client: MusterClient
    private let options: LockOptions
    private let session: String
    private let core: Mutex<SemaphoreCore>
    private let contenderKey: String
    let key: String

    init(prefix: String, limit: Int, session: String, client: MusterClient, options: LockOptions) {
        let core = SemaphoreCore(
            prefix: prefix,
            session: session,
            limit: limit,
            settings: options.querySettings
        )
        key = prefix
        contenderKey = core.contenderKey
        self.session = session
        self.client = client
        self.options = options
        self.core = Mutex(core)
    }

    func step(_ patience: Patience?) async throws -> Finding {
        let now = options.clock.now()
        switch core.withLock({ $0.next(now: now) }) {
        case .sleep(let moment):
            if let patience {
                try await patience.sleep(until: moment)
            } else {
                try await options.clock.sleep(moment)
            }
        case .enter: try await enter()
        case .read(let index, let wait):
            var query = options.queryOptions
            query.index = index
            query.wait = try index == nil ? wait : patience?.limit(wait) ?? wait
            return try found(try await list(query))
        case .claim(let record, let index):
            _ = try await write(record, unchangedSince: index)
            core.withLock { $0.claimed() }
        }
        return .open
    }

    private func enter() async throws {
        let entered = try await client.keyValue.put(
            contenderKey,
            options.value,
            flags: SemaphoreCore.flags,
            if: .acquire(session: session),
            options: options.writeOptions
        )
        guard entered else {
            throw CoordinationError(
                code: .conflict,
                key: contenderKey,
                message: "another session holds this session's own key"
            )
        }
        core.withLock { $0.entered() }
    }

    /// The entries below the prefix, whose own name is not part of others' (`a` is not of `ab`).
    private func list(_ query: QueryOptions) async throws -> Response<[KeyValuePair]> {
        let record = SemaphoreCore.recordKey(key)
        return try await client.keyValue.list(
            String(record.dropLast(".lock".count)),
            options: query
        )
    }

    private func write(_ record: SemaphoreRecord, unchangedSince index: UInt64) async throws -> Bool
    {
        try await client.keyValue.put(
            SemaphoreCore.recordKey(key),
            try record.bytes,
            flags: SemaphoreCore.flags,
            if: .unchanged(since: index),
            options: options.writeOptions
        )
    }

    private func found(_ answer: Response<[KeyValuePair]>) throws -> Finding {
        let now = options.clock.now()
        return try core.withLock { core in
            var random = SystemRandomNumberGenerator()
            return try core.read(answer.value, index: answer.index, now: now, using: &random)
        }
    }

    func failed(_ error: any Error) {
        let now = options.clock.now()
        core.withLock { core in
            var random = SystemRandomNumberGenerator()
            core.failed(now: now, using: &random)
        }
        options.logger.warning(
            "The registry cannot say who holds the semaphore",
            metadata: ["prefix": "\(key)", "error": "\(error)"]
        )
    }

    func leave() async throws {
        try await leaveRecord()
        try await client.keyValue.delete(contenderKey, options: options.writeOptions)
    }

    private func leaveRecord() async throws {
        let recordKey = SemaphoreCore.recordKey(key)
        while true {
            try Task.checkCancellation()
            let entry = try await client.keyValue.get(recordKey, options: options.queryOptions)
                .value
            // A record that cannot be read is not this session's to mend.
            guard let entry, let record = try? SemaphoreRecord(bytes: entry.value),
                let rest = SemaphoreCore.leaving(record, session: session)
            else { return }
            if try await write(rest, unchangedSince: entry.modifyIndex) { return }
        }
    }
}
