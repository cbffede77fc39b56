/// Every bound of this module, with what happens at it.
enum Limits {
    /// The most instances one balancer offers; those after it in id order are left out.
    static let instances = 65_536

    /// The longest precomputed schedule of smooth weighted round robin, in steps.
    ///
    /// Weights whose cycle is longer are scaled down until it fits, never below 1.
    static let scheduleSteps = 16_384

    /// The most work spent on one schedule (steps times instances); scaled down like the length.
    static let scheduleWork = 4_194_304

    /// The largest weight; heavier instances count as this heavy.
    static let weight: UInt32 = 1_048_576

    /// The most host names the process keeps for endpoints that are not addresses.
    ///
    /// A further new name is refused: its endpoint cannot be made.
    static let hostNames = 65_536

    /// The longest host name in bytes (RFC 1035 §2.3.4); a longer one is refused.
    static let hostNameBytes = 255

    /// The most sequences one balancer keeps (see ``Balancer/Options/stripes``); more is clamped.
    static let stripes = 1024

    /// How often a pick that should avoid an endpoint draws again before it takes what it got.
    static let avoidingDraws = 8

    /// The most attempts of one balanced call; a larger wish is clamped.
    static let attempts = 16
}
