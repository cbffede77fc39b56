/// Remembers what was complained of last, so that what goes on is said once.
struct Complaints {
    static let most = 256

    private var last: [String: String] = [:]

    /// Whether the text is another one than the last about the same thing.
    ///
    /// With more than `most` things the memory starts anew.
    mutating func isNews(_ key: String, _ text: String) -> Bool {
        guard last[key] != text else { return false }
        if last.count >= Complaints.most { last = [:] }
        last[key] = text
        return true
    }

    /// All is well; whether there had been a complaint.
    mutating func settle(_ key: String) -> Bool {
        last.removeValue(forKey: key) != nil
    }
}
