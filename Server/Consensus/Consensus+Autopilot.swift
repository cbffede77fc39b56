import Model
import NIOCore
import RPC
import Raft
import Replica

/// The leader's care for the other servers.
extension Consensus {
    func scheduleAutopilot() {
        eventLoop.assumeIsolated().scheduleTask(in: settings.limits.autopilotInterval) { [self] in
            guard !isStopped else { return }
            superviseServers()
            scheduleAutopilot()
        }
    }
}

extension Consensus {
    func superviseServers() {}
    var health: [ServerHealth] { [] }
}
