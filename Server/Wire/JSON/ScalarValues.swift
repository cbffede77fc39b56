package import Model

extension String: WireValue {
    package static var goType: String { "string" }
    package var isZero: Bool { isEmpty }

    package func writeJSON(_ writer: inout JSONWriter) {
        writer.string(self)
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        switch try reader.peek() {
        case UInt8(ascii: "\""): self = try reader.readString()
        case UInt8(ascii: "n"): try reader.literal("null")
        default: throw reader.mismatch(Self.goType)
        }
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        writer.string(self)
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        self = try reader.string()
    }
}

extension Bool: WireValue {
    package static var goType: String { "bool" }
    package var isZero: Bool { !self }

    package func writeJSON(_ writer: inout JSONWriter) {
        writer.bool(self)
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        switch try reader.peek() {
        case UInt8(ascii: "t"):
            try reader.literal("true")
            self = true
        case UInt8(ascii: "f"):
            try reader.literal("false")
            self = false
        case UInt8(ascii: "n"): try reader.literal("null")
        default: throw reader.mismatch(Self.goType)
        }
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        writer.bool(self)
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        self = try reader.bool()
    }
}

extension Int: WireValue {
    package static var goType: String { "int" }
    package var isZero: Bool { self == 0 }

    package func writeJSON(_ writer: inout JSONWriter) {
        writer.integer(self)
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        guard let text = try reader.readNumber(Self.goType) else { return }
        guard let value = Int.parse(text) else {
            throw reader.mismatch(number: text, Self.goType)
        }
        self = value
    }

    /// The decimal integer `text`; nil for fractions, exponents and what does not fit.
    static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        var digits = text[...]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        var value = 0
        for byte in digits {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let digit = Int(byte - 0x30)
            let (sum, tooLarge) =
                isNegative
                ? scaled.subtractingReportingOverflow(digit)
                : scaled.addingReportingOverflow(digit)
            guard !overflow, !tooLarge else { return nil }
            value = sum
        }
        return value
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        writer.integer(Int64(self))
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        self = Int(try reader.integer())
    }
}

extension UInt64: WireValue {
    package static var goType: String { "uint64" }
    package var isZero: Bool { self == 0 }

    package func writeJSON(_ writer: inout JSONWriter) {
        writer.unsigned(self)
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        guard let text = try reader.readNumber(Self.goType) else { return }
        guard let value = UInt64.parse(text) else {
            throw reader.mismatch(number: text, Self.goType)
        }
        self = value
    }

    private static func parse(_ text: UnsafeBufferPointer<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for byte in text {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, tooLarge) = scaled.addingReportingOverflow(UInt64(byte - 0x30))
            guard !overflow, !tooLarge else { return nil }
            value = sum
        }
        return value
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        writer.unsigned(self)
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        self = try reader.unsigned()
    }
}

extension Double: WireValue {
    package static var goType: String { "float64" }

    package func writeJSON(_ writer: inout JSONWriter) {
        writer.double(self)
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        guard let text = try reader.readNumber(Self.goType) else { return }
        guard let value = Double.parse(text) else {
            throw reader.mismatch(number: text, Self.goType)
        }
        self = value
    }

    /// The number `text`, or nil when it is too large.
    static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
            return nil
        }
        return value
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        writer.double(self)
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        self = try reader.double()
    }
}

extension Nanoseconds: WireValue {
    package static var goType: String { "time.Duration" }
    package var isZero: Bool { rawValue == 0 }

    package init() {
        self = .zero
    }

    /// A number of nanoseconds.
    package func writeJSON(_ writer: inout JSONWriter) {
        writer.integer(Int(rawValue))
    }

    /// Takes text (`10s`) and numbers; leaves the field as it is for everything else, as Consul
    /// does.
    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        switch try reader.peek() {
        case UInt8(ascii: "\""):
            let text = try reader.readString()
            self = text.isEmpty ? .zero : try GoDuration.parseOrThrow(text)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let (text, _) = try reader.number()
            if let value = Int.parse(text) {
                self = Nanoseconds(rawValue: Int64(value))
            } else if let value = Double.parse(text) {
                // Go's conversion of what does not fit gives the least integer.
                self = Nanoseconds(rawValue: value.magnitude < 0x1p63 ? Int64(value) : .min)
            } else {
                throw reader.mismatch(number: text, "float64")
            }
        default: try reader.skipValue()
        }
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        writer.integer(rawValue)
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        rawValue = try reader.integer()
    }
}

extension JSONReader {
    /// The text of a number that comes next; nil for null.
    mutating func readNumber(
        _ goType: String
    ) throws(WireError) -> UnsafeBufferPointer<UInt8>? {
        switch try peek() {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return try number().text
        case UInt8(ascii: "n"):
            try literal("null")
            return nil
        default: throw mismatch(goType)
        }
    }
}
