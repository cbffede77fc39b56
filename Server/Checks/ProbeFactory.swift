package import LocalState
import Model
import NIOCore
import NIOSSL

/// Makes the probe that a check's definition describes.
package struct ProbeFactory: Sendable {
    private let limits: CheckLimits
    private let contexts: TLSContexts

    package init(limits: CheckLimits = CheckLimits()) {
        self.limits = limits
        contexts = TLSContexts()
    }

    /// The probe, or nil for checks that others drive (TTL, alias).
    package func probe(for task: CheckTask) -> (any Probe)? {
        let definition = task.definition
        let given = definition.timeout
        let timeout = TimeAmount.nanoseconds(
            (given > .zero ? given : limits.probeTimeout).rawValue
        )
        switch task.kind {
        case .ttl, .alias:
            return nil
        case .http:
            return HTTPProbe(
                definition: definition,
                outputLimit: task.outputLimit,
                timeout: timeout,
                redirects: limits.redirects,
                contexts: contexts
            )
        case .tcp:
            return TCPProbe(address: definition.tcp, timeout: timeout)
        case .script:
            return ScriptProbe(
                arguments: definition.scriptArguments,
                timeout: given > .zero ? given : limits.scriptTimeout,
                outputLimit: task.outputLimit
            )
        case .grpc, .docker:
            return UnservedProbe(kind: task.kind.rawValue)
        }
    }
}
