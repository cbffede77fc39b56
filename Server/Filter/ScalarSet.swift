/// A set of Unicode scalars: a character class of a regular expression.
struct ScalarSet: Sendable {
    /// A general category by its letters, such as `L` or `Lu`; "Any" has everything.
    struct Category: Sendable {
        let name: String
        let isNegated: Bool
    }

    private(set) var ranges: [ClosedRange<UInt32>] = []
    private var categories: [Category] = []
    /// Whether letters are in the set in both cases when they are in it in one.
    private let foldsCase: Bool
    /// Whether the set is everything but what was inserted.
    var isNegated = false

    init(foldsCase: Bool = false) {
        self.foldsCase = foldsCase
    }

    init(_ ranges: [ClosedRange<UInt32>], isNegated: Bool = false) {
        self.ranges = ranges
        self.isNegated = isNegated
        foldsCase = false
    }

    mutating func insert(_ range: ClosedRange<UInt32>) {
        ranges.append(range)
    }

    /// Inserts the ranges, or all scalars outside of them; they must be sorted and apart.
    mutating func insert(_ named: [ClosedRange<UInt32>], isNegated: Bool) {
        guard isNegated else {
            ranges += named
            return
        }
        var next: UInt32 = 0
        for range in named {
            if range.lowerBound > next { ranges.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        ranges.append(next...0x10FFFF)
    }

    mutating func insert(_ category: Category) {
        categories.append(category)
    }

    func contains(_ scalar: UInt32) -> Bool {
        var isIn = hasInserted(scalar)
        if !isIn, foldsCase {
            isIn = ScalarSet.foldings(of: scalar).contains { hasInserted($0) }
        }
        return isIn != isNegated
    }

    private func hasInserted(_ value: UInt32) -> Bool {
        if ranges.contains(where: { $0.contains(value) }) { return true }
        guard !categories.isEmpty, let scalar = Unicode.Scalar(value) else { return false }
        let name = ScalarSet.name(of: scalar.properties.generalCategory)
        return categories.contains {
            ($0.name == "Any" || name == $0.name || name.prefix(1) == $0.name) != $0.isNegated
        }
    }

    /// The other scalars that are equal to this one when case does not count.
    static func foldings(of value: UInt32) -> [UInt32] {
        var result: [UInt32] = []
        if value < 0x80 {
            let isLetter = (value | 0x20) >= 0x61 && (value | 0x20) <= 0x7A
            if isLetter { result.append(value ^ 0x20) }
            // The Kelvin sign and the long s fold to ASCII letters.
            if value | 0x20 == 0x6B { result.append(0x212A) }
            if value | 0x20 == 0x73 { result.append(0x17F) }
            return result
        }
        guard let scalar = Unicode.Scalar(value) else { return [] }
        for mapping in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
            let scalars = mapping.unicodeScalars
            guard scalars.count == 1, let other = scalars.first, other != scalar else { continue }
            result.append(other.value)
            if other.value < 0x80 { result.append(other.value ^ 0x20) }
        }
        return result
    }

    /// The two letters of a category, or nil for text that is none.
    static func isCategory(_ name: String) -> Bool {
        name == "Any" || categoryNames.contains(name)
            || (name.utf8.count == 1 && "LMNPSZC".contains(name))
    }

    private static let categoryNames: Set<String> = [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
        "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
    ]

    private static func name(of category: Unicode.GeneralCategory) -> String {
        switch category {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        case .unassigned: "Cn"
        @unknown default: "Cn"
        }
    }

    static let word: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]

    /// The classes of one letter after a backslash, by the lower-case letter.
    static let perlClasses: [Unicode.Scalar: [ClosedRange<UInt32>]] = [
        "d": [0x30...0x39], "s": [0x09...0x0A, 0x0C...0x0D, 0x20...0x20], "w": word,
    ]

    /// The classes that are written `[:name:]` inside brackets.
    static let namedClasses: [String: [ClosedRange<UInt32>]] = [
        "alnum": [0x30...0x39, 0x41...0x5A, 0x61...0x7A], "alpha": [0x41...0x5A, 0x61...0x7A],
        "ascii": [0x00...0x7F], "blank": [0x09...0x09, 0x20...0x20],
        "cntrl": [0x00...0x1F, 0x7F...0x7F], "digit": [0x30...0x39], "graph": [0x21...0x7E],
        "lower": [0x61...0x7A], "print": [0x20...0x7E],
        "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E],
        "space": [0x09...0x0D, 0x20...0x20], "upper": [0x41...0x5A], "word": word,
        "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
    ]
}
