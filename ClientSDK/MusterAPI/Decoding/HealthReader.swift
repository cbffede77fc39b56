/// Reads the list of a service's instances; what recurs is decoded once.
struct HealthReader {
    var scanner: JSONScanner
    private var tagLists: SliceCache<[String]>
    private var metadata: SliceCache<[String: String]>
    private var names: SliceCache<String>
    // Kept here because a global is looked up anew each time.
    let entryKeys: KeyTable
    let nodeKeys: KeyTable
    let serviceKeys: KeyTable
    let checkKeys: KeyTable
    private let weightKeys: KeyTable

    init(_ scanner: JSONScanner, textBytes: Int) {
        self.scanner = scanner
        tagLists = SliceCache(textBytes: textBytes)
        metadata = SliceCache(textBytes: textBytes)
        names = SliceCache(textBytes: textBytes)
        let keys = HealthKeys.shared
        entryKeys = keys.entry
        nodeKeys = keys.node
        serviceKeys = keys.service
        checkKeys = keys.check
        weightKeys = keys.weights
    }

    // MARK: The list

    /// Enters the list; false when there is none, but `null`.
    mutating func begin() throws(JSONFault) -> Bool {
        if try scanner.takeNull() {
            try scanner.end()
            return false
        }
        try scanner.openArray()
        return true
    }

    /// Goes to the next entry; false behind the last, when nothing follows the list.
    @inline(__always)
    mutating func next(_ isFirst: inout Bool) throws(JSONFault) -> Bool {
        if try scanner.nextElement(&isFirst) { return true }
        try scanner.end()
        return false
    }

    // MARK: Values that recur

    /// Takes a string that other instances are likely to have, too.
    @inline(__always)
    mutating func name() throws(JSONFault) -> String? {
        if try scanner.takeNull() { return nil }
        let text = try scanner.text()
        // Up to 15 bytes a string is stored in place: there is nothing to share.
        guard text.range.count > 15 else { return scanner.string(text) }
        let scanner = scanner
        return try names.value(text.range, of: scanner) { () throws(JSONFault) in
            scanner.string(text)
        }
    }

    /// Takes a list of strings.
    @inline(__always)
    mutating func tags() throws(JSONFault) -> [String] {
        let range = try scanner.skip()
        var inner = scanner
        inner.move(to: range.lowerBound)
        return try tagLists.value(range, of: scanner) { () throws(JSONFault) in
            try inner.strings()
        }
    }

    /// Takes an object of strings.
    @inline(__always)
    mutating func meta() throws(JSONFault) -> [String: String] {
        let range = try scanner.skip()
        var inner = scanner
        inner.move(to: range.lowerBound)
        return try metadata.value(range, of: scanner) { () throws(JSONFault) in
            try inner.stringMap()
        }
    }

    /// Takes weights; nil for `null`.
    mutating func weights() throws(JSONFault) -> ServiceWeights? {
        if try scanner.takeNull() { return nil }
        try scanner.openObject()
        var weights = ServiceWeights()
        var isFirst = true
        var expected = 0
        while let key = try scanner.nextKey(&isFirst) {
            switch weightKeys.place(of: key, scanner, expected: &expected) {
            case 0: weights.passing = try scanner.optionalInteger(Int.self) ?? 1
            case 1: weights.warning = try scanner.optionalInteger(Int.self) ?? 1
            default: try scanner.skip()
            }
        }
        return weights
    }
}

/// The members of what a list of instances holds.
private struct HealthKeys {
    let weights = KeyTable("Passing", "Warning")
    let entry = KeyTable("Node", "Service", "Checks")
    let node = KeyTable(
        "ID",
        "Node",
        "Address",
        "Datacenter",
        "TaggedAddresses",
        "Meta",
        "CreateIndex",
        "ModifyIndex"
    )
    let service = KeyTable(
        "ID",
        "Service",
        "Tags",
        "Address",
        "TaggedAddresses",
        "Meta",
        "Port",
        "Weights",
        "EnableTagOverride",
        "Proxy",
        "Connect",
        "CreateIndex",
        "ModifyIndex",
        "Kind",
        "ContentHash",
        "Datacenter"
    )
    let check = KeyTable(
        "Node",
        "CheckID",
        "Name",
        "Status",
        "Notes",
        "Output",
        "ServiceID",
        "ServiceName",
        "ServiceTags",
        "Type",
        "Definition",
        "CreateIndex",
        "ModifyIndex"
    )

    static let shared = HealthKeys()
}
