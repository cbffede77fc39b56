extension HealthReader {
    /// Takes an entry and keeps what balancing needs.
    mutating func instance() throws(JSONFault) -> HealthInstance {
        var instance = HealthInstance()
        try scanner.openObject()
        var isFirst = true
        var expected = 0
        while let key = try scanner.nextKey(&isFirst) {
            switch entryKeys.place(of: key, scanner, expected: &expected) {
            case 0: try node(into: &instance)
            case 1: try service(into: &instance)
            case 2: instance.status = try status()
            default: try scanner.skip()
            }
        }
        return instance
    }

    @inline(__always)
    private mutating func node(into instance: inout HealthInstance) throws(JSONFault) {
        if try scanner.takeNull() { return }
        try scanner.openObject()
        var isFirst = true
        var expected = 0
        while let key = try scanner.nextKey(&isFirst) {
            switch nodeKeys.place(of: key, scanner, expected: &expected) {
            case 1: instance.node = try name() ?? ""
            case 2: instance.nodeAddress = try name() ?? ""
            case 3: instance.datacenter = try name() ?? ""
            case 5: instance.nodeMeta = try meta()
            default: try scanner.skip()
            }
        }
    }

    @inline(__always)
    private mutating func service(into instance: inout HealthInstance) throws(JSONFault) {
        if try scanner.takeNull() { return }
        try scanner.openObject()
        var isFirst = true
        var expected = 0
        while let key = try scanner.nextKey(&isFirst) {
            switch serviceKeys.place(of: key, scanner, expected: &expected) {
            case 0: instance.serviceID = try scanner.optionalString() ?? ""
            case 2: instance.tags = try tags()
            case 3: instance.address = try name() ?? ""
            case 5: instance.meta = try meta()
            case 6: instance.port = try scanner.optionalInteger(Int.self) ?? 0
            case 7: instance.weights = try weights()
            default: try scanner.skip()
            }
        }
    }

    /// The worst state of all checks.
    @inline(__always)
    private mutating func status() throws(JSONFault) -> CheckStatus {
        var worst = CheckStatus.Severity.passing
        if try scanner.takeNull() { return worst.status }
        try scanner.openArray()
        var isFirst = true
        while try scanner.nextElement(&isFirst) { worst = max(worst, try check()) }
        return worst.status
    }

    @inline(__always)
    private mutating func check() throws(JSONFault) -> CheckStatus.Severity {
        var severity = CheckStatus.Severity.critical
        var isMaintenance = false
        try scanner.openObject()
        var isFirst = true
        var expected = 0
        while let key = try scanner.nextKey(&isFirst) {
            switch checkKeys.place(of: key, scanner, expected: &expected) {
            case 1: isMaintenance = try checkIDIsMaintenance()
            case 3: severity = try checkSeverity()
            default: try scanner.skip()
            }
        }
        return isMaintenance ? .maintenance : severity
    }

    @inline(__always)
    private mutating func checkIDIsMaintenance() throws(JSONFault) -> Bool {
        if try scanner.takeNull() { return false }
        let text = try scanner.text()
        // Only an id that begins with an underscore, or hides it in an escape, needs a look.
        guard
            text.isEscaped
                || !text.range.isEmpty
                    && scanner.byte(at: text.range.lowerBound) == UInt8(ascii: "_")
        else { return false }
        return HealthCheck.isMaintenance(checkID: scanner.string(text))
    }

    @inline(__always)
    private mutating func checkSeverity() throws(JSONFault) -> CheckStatus.Severity {
        if try scanner.takeNull() { return .critical }
        let text = try scanner.text()
        if scanner.matches(text, "passing") { return .passing }
        if scanner.matches(text, "warning") { return .warning }
        return .critical
    }
}

extension CheckStatus {
    /// The states that an instance as a whole can have, from best to worst.
    enum Severity: UInt8, Comparable {
        case passing
        case warning
        case critical
        case maintenance

        static func < (lhs: Severity, rhs: Severity) -> Bool { lhs.rawValue < rhs.rawValue }

        /// The state with its name.
        var status: CheckStatus {
            switch self {
            case .passing: .passing
            case .warning: .warning
            case .critical: .critical
            case .maintenance: .maintenance
            }
        }
    }
}

extension HealthCheck {
    /// Whether an operator's maintenance has made the check of that id.
    static func isMaintenance(checkID: String) -> Bool {
        checkID == "_node_maintenance" || checkID.hasPrefix("_service_maintenance:")
    }
}
