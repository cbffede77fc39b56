/// The bounds of this module, their defaults, and what happens at each.
enum Limits {
    /// How many instances are asked for a stream before a call fails, unless told otherwise.
    ///
    /// - Source: grpc-swift: five attempts to make a stream.
    static let attempts = 5

    /// The most such attempts; a larger wish is clamped.
    static let mostAttempts = 16

    /// How long connecting to an instance may take unless told otherwise.
    static let connectTimeout = Duration.milliseconds(500)

    /// How long an instance that could not be reached is passed over while there is another.
    static let pause = Duration.seconds(1)

    /// How many parts of a response with one message are held back until its status is there.
    static let heldParts = 3

    /// How many tasks' last failures are kept so that a retry goes elsewhere; more are forgotten.
    static let failures = 1024
}
