/// The bounds of this module, their defaults, and what happens at each.
///
/// The tree is bounded by the client's largest answer; a larger one is a failure of the watch, and
/// the last values stay.
enum Limits {
    /// How long a start waits for the first answer of the registry unless it is told otherwise.
    static let startTimeout = Duration.seconds(10)

    /// How much of a value that cannot be read an error shows; the rest is left out.
    static let shownCharacters = 64
}
