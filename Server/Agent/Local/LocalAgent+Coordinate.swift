import LocalState
import Logging
import Model
import NIOCore
import Replica

extension LocalAgent {
    /// Plans the one report of this node's network coordinate.
    ///
    /// The coordinate of a node that has measured no other is the origin, and stays it.
    /// - Source: Consul: GET /v1/coordinate/nodes of an agent that runs alone; `consul rtt`.
    func scheduleCoordinate() {
        let least = limits.coordinateDelay.nanoseconds
        let delay = TimeAmount.nanoseconds(least + Int64.random(in: 0...least))
        eventLoop.assumeIsolated().scheduleTask(in: delay) {
            guard !self.isStopped else { return }
            self.reportCoordinate()
        }
    }

    /// Proposes the coordinate; a refusal costs nothing but estimates, so it is only logged.
    private func reportCoordinate() {
        var own = NodeCoordinate()
        own.node = state.configuration.node.name
        own.coordinate.vector = Array(repeating: 0, count: 8)
        own.coordinate.error = 1.5
        own.coordinate.height = 1e-5
        let logger = self.logger
        replica.propose(.updateCoordinates([own]), on: eventLoop) { outcome in
            if case .failure(let error) = outcome {
                logger.warning("Failed to report the coordinate: \(error.message)")
            }
        }
    }
}
