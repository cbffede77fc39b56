import Filter

/// The `filter` of a query, compiled once; passes everything when there is none.
struct QueryFilter: Sendable {
    private let compiled: Result<Filter, FilterError>?

    init(_ text: String, _ schema: FilterSchema) {
        guard !text.isEmpty else {
            compiled = nil
            return
        }
        do throws(FilterError) {
            compiled = .success(try Filter(text, schema: schema))
        } catch {
            compiled = .failure(error)
        }
    }

    /// The filter to apply, or nil for none; a bad expression fails the query, not its parsing.
    ///
    /// - Source: Consul: servers compile filters, hence status 500.
    func resolve() throws(HTTPError) -> Filter? {
        switch compiled {
        case nil: return nil
        case .success(let filter): return filter
        case .failure(let error): throw .failed(error.description)
        }
    }
}
