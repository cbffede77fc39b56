/// A record that a filter can look into.
///
/// The type of each field must be what the ``FilterSchema`` of the endpoint says.
package protocol FilterSubject {
    /// The value of one field; nil when the record has none, which compares as a missing map key.
    func filterField(_ name: String) -> FilterValue?
}

/// What a field of a record holds.
package enum FilterValue {
    case string(String)
    case bool(Bool)
    case integer(Int64)
    case strings([String])
    /// A map from names to strings, such as metadata.
    case map([String: String])
    /// A map from names to records, such as tagged addresses of a service.
    case structures([String: any FilterSubject])
    case structure(any FilterSubject)
    /// A list of records; a comparison holds when it holds for any of them.
    case list([any FilterSubject])
}
