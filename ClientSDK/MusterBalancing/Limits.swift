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

    /// How often a pick that should avoid endpoints draws again before it looks through all.
    static let avoidingDraws = 4

    /// The most attempts of one balanced call; a larger wish is clamped.
    static let attempts = 16

    /// The most candidates of a least-request pick; more is clamped.
    static let choices = 10

    /// The most places on a hash ring; more is clamped.
    static let ringPlaces = 262_144

    /// The most slots of a Maglev table before rounding up to a prime; more is clamped.
    static let maglevSlots = 1_048_576

    /// How often a key that meets a full instance is rehashed before all are looked through.
    static let overflowDraws = 16

    /// In how many steps an instance warms up.
    static let warmingSteps = 20

    /// The largest share that a weight may be scaled by when a part of it is to be expressed.
    static let weightScale: UInt32 = 1024

    /// The most ejections in a row that lengthen the next one.
    static let ejectionsInARow = 1_000

    /// How many latencies a histogram keeps before it halves all counts.
    static let latencies = 4096

    /// The most attempts of a hedged call (gRPC A6); more is clamped.
    static let hedges = 5
}
