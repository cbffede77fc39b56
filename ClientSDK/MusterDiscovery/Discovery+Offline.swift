package import MusterBalancing

extension Discovery {
    /// Hands a snapshot to everyone who watches `query`, as if the registry had answered with it.
    ///
    /// Only for a discovery that is offline: a watch that asks would overwrite it.
    ///
    /// - Returns: The query's view; the snapshot is kept while somebody holds one.
    package func publish(_ snapshot: ServiceSnapshot, for query: ServiceQuery) -> WatchedService {
        precondition(configuration.isOffline, "this discovery's watches ask the registry")
        let service = service(query)
        service.feed.publish(snapshot)
        return service
    }
}
