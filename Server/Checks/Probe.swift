package import Model
package import NIOCore

/// What one run of a check found.
package struct Verdict: Hashable, Sendable {
    package var status: CheckStatus
    package var output: String

    package init(_ status: CheckStatus, _ output: String) {
        self.status = status
        self.output = output
    }
}

/// One way to find a verdict about something outside the agent.
///
/// A new kind of check is a new conformer and a case in `ProbeFactory`.
package protocol Probe: Sendable {
    /// Runs once, without blocking; calls `completion` exactly once, on `eventLoop`, in bounded
    /// time.
    ///
    /// Must be called on `eventLoop`.
    func run(on eventLoop: any EventLoop, _ completion: @escaping @Sendable (Verdict) -> Void)
}

/// Stands for a kind of check that this version does not run.
struct UnservedProbe: Probe {
    let kind: String

    func run(on eventLoop: any EventLoop, _ completion: @escaping @Sendable (Verdict) -> Void) {
        completion(Verdict(.critical, "\(kind) checks are not run by this version"))
    }
}

/// The last bytes of something longer.
struct TailBuffer {
    private(set) var bytes: [UInt8] = []
    private(set) var total = 0
    let limit: Int

    init(limit: Int) {
        self.limit = max(0, limit)
    }

    mutating func append(_ new: some Collection<UInt8>) {
        total += new.count
        bytes.append(contentsOf: new.suffix(limit))
        if bytes.count > limit { bytes.removeFirst(bytes.count - limit) }
    }

    var isCut: Bool { total > bytes.count }

    /// The kept bytes as text; what is not UTF-8 is replaced.
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
