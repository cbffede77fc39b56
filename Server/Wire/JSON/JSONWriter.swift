/// Writes JSON text as Go's `encoding/json` does, without spaces.
///
/// Commas come by themselves: call `key` before each value of an object, and just the values in an array.
/// - Source: Go: encoding/json, HTML escaping on.
package struct JSONWriter: Sendable {
    /// The text so far.
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init() {}

    /// Starts with room for `capacity` bytes.
    package init(capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    /// Forgets what was written, but keeps the memory.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        needsComma = false
    }

    package mutating func beginObject() {
        open(UInt8(ascii: "{"))
    }

    package mutating func endObject() {
        close(UInt8(ascii: "}"))
    }

    package mutating func beginArray() {
        open(UInt8(ascii: "["))
    }

    package mutating func endArray() {
        close(UInt8(ascii: "]"))
    }

    /// The key of the value that follows; plain ASCII that needs no escapes.
    package mutating func key(_ name: StaticString) {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(
            contentsOf: UnsafeBufferPointer(
                start: name.utf8Start,
                count: name.utf8CodeUnitCount
            )
        )
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// The key of the value that follows.
    package mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func null() {
        literal("null")
    }

    package mutating func bool(_ value: Bool) {
        literal(value ? "true" : "false")
    }

    package mutating func string(_ value: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        var value = value
        value.withUTF8 { escape($0) }
        bytes.append(UInt8(ascii: "\""))
    }

    package mutating func integer(_ value: Int) {
        if value < 0 {
            separate()
            bytes.append(UInt8(ascii: "-"))
            needsComma = false
        }
        unsigned(UInt64(value.magnitude))
    }

    package mutating func unsigned(_ value: UInt64) {
        separate()
        if value < 10 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value))
            return
        }
        var rest = value
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = 20
            while rest > 0 {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start..<20]))
        }
    }

    package mutating func double(_ value: Double) {
        raw(GoFloat.format(value).utf8)
    }

    /// Base64 text of `value`.
    package mutating func base64(_ value: [UInt8]) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        value.withUnsafeBytes { Base64.encode($0, into: &bytes) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A value that is JSON text already, such as a record's kept fragment.
    package mutating func raw(_ fragment: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: fragment)
    }

    package mutating func value(_ value: some WireValue) {
        value.writeJSON(&self)
    }

    private mutating func literal(_ text: StaticString) {
        separate()
        bytes.append(
            contentsOf: UnsafeBufferPointer(
                start: text.utf8Start,
                count: text.utf8CodeUnitCount
            )
        )
    }

    @inline(__always)
    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }
}

extension JSONWriter: FieldVisitor {
    package static var isJSON: Bool { true }
    package static var isReading: Bool { false }

    package mutating func field<Value: WireValue>(
        _ name: StaticString,
        _ value: inout Value,
        _ options: FieldOptions,
        goType: StaticString
    ) {
        if options.contains(.omitEmpty), value.isZero { return }
        key(name)
        value.writeJSON(&self)
    }
}

extension JSONWriter {
    /// Appends UTF-8 with Go's escapes; runs without any are copied whole.
    private mutating func escape(_ text: UnsafeBufferPointer<UInt8>) {
        guard let base = text.baseAddress else { return }
        var start = 0
        var index = JSONScan.firstEscaped(base, from: 0, to: text.count)
        while index < text.count {
            let length = JSONScan.escapedLength(base, at: index, to: text.count)
            if length > 0 {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
                appendEscape(base, at: index)
                start = index + length
            }
            index = JSONScan.firstEscaped(base, from: index + max(1, length), to: text.count)
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<text.count]))
    }

    private mutating func appendEscape(_ base: UnsafePointer<UInt8>, at index: Int) {
        bytes.append(UInt8(ascii: "\\"))
        switch base[index] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(base[index])
        case UInt8(ascii: "\n"): bytes.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): bytes.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): bytes.append(UInt8(ascii: "t"))
        case 0xE2:
            // U+2028 and U+2029 end in A8 and A9.
            bytes.append(contentsOf: "u202".utf8)
            bytes.append(base[index + 2] - 0xA8 + UInt8(ascii: "8"))
        case let byte:
            let digits = StaticHex.digits
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        }
    }
}

/// The digits of lower-case hexadecimal.
enum StaticHex {
    static let digits = Array("0123456789abcdef".utf8)
}
