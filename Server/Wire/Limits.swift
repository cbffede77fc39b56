/// The bounds of what is decoded.
package enum WireLimits {
    /// How deep arrays, maps and records may nest; deeper input is refused with `WireError.limit`.
    package static let depth = 128
    /// How many elements of an array or map are reserved room for before they were seen.
    ///
    /// More elements are accepted as long as the input has them: every element takes at least a
    /// byte.
    package static let reservedElements = 64
}
