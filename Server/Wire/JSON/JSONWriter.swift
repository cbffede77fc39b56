/// Writes JSON text as Go's `encoding/json` does, without spaces.
///
/// Commas come by themselves: call `key` before each value of an object, and just the values in
/// an array.
/// - Source: Go: encoding/json, HTML escaping on.
package struct JSONWriter: Sendable {
    private var sink = ByteSink()
    private var needsComma = false

    package init() {}

    /// Starts with room for `capacity` bytes.
    package init(capacity: Int) {
        sink.reserve(capacity)
    }

    /// The text so far, copied into an array of its size.
    package var bytes: [UInt8] {
        sink.bytes
    }

    /// How long the text is so far.
    package var count: Int {
        sink.count
    }

    /// The text, without a copy; the writer is empty afterwards.
    package mutating func take() -> [UInt8] {
        needsComma = false
        return sink.take()
    }

    /// Forgets what was written, but keeps the memory.
    package mutating func removeAll() {
        sink.removeAll()
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
        let length = name.utf8CodeUnitCount
        let comma = needsComma
        sink.write(atMost: length + 4) { target in
            var target = target
            if comma {
                target[0] = UInt8(ascii: ",")
                target += 1
            }
            target[0] = UInt8(ascii: "\"")
            (target + 1).update(from: name.utf8Start, count: length)
            target[length + 1] = UInt8(ascii: "\"")
            target[length + 2] = UInt8(ascii: ":")
            return length + (comma ? 4 : 3)
        }
        needsComma = false
    }

    /// The key of the value that follows.
    package mutating func key(_ name: String) {
        string(name)
        sink.append(UInt8(ascii: ":"))
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
        var value = value
        value.withUTF8 { text in
            guard let base = text.baseAddress, text.count > 0 else { return sink.append("\"\"") }
            let clean = JSONScan.firstEscaped(base, from: 0, to: text.count)
            guard clean == text.count else { return escape(text, from: clean) }
            sink.write(atMost: clean + 2) { target in
                target[0] = UInt8(ascii: "\"")
                (target + 1).update(from: base, count: clean)
                target[clean + 1] = UInt8(ascii: "\"")
                return clean + 2
            }
        }
    }

    package mutating func integer(_ value: Int) {
        if value < 0 {
            separate()
            sink.append(UInt8(ascii: "-"))
            needsComma = false
        }
        unsigned(UInt64(value.magnitude))
    }

    package mutating func unsigned(_ value: UInt64) {
        separate()
        sink.write(atMost: 20) { target in
            var length = 1
            var bound: UInt64 = 10
            while length < 20, value >= bound {
                length += 1
                bound = length < 20 ? bound * 10 : .max
            }
            var rest = value
            for index in stride(from: length - 1, through: 0, by: -1) {
                target[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            return length
        }
    }

    package mutating func double(_ value: Double) {
        raw(GoFloat.format(value).utf8)
    }

    /// Base64 text of `value`.
    package mutating func base64(_ value: [UInt8]) {
        separate()
        sink.append(UInt8(ascii: "\""))
        sink.write(atMost: (value.count + 2) / 3 * 4) { target in
            value.withUnsafeBufferPointer { Base64.encode($0, to: target) }
        }
        sink.append(UInt8(ascii: "\""))
    }

    /// A value that is JSON text already, such as a record's kept fragment.
    package mutating func raw(_ fragment: [UInt8]) {
        separate()
        sink.append(fragment)
    }

    /// A value that is JSON text already.
    package mutating func raw(_ fragment: some Sequence<UInt8>) {
        raw(Array(fragment))
    }

    package mutating func value(_ value: some WireValue) {
        value.writeJSON(&self)
    }

    @inline(__always)
    private mutating func literal(_ text: StaticString) {
        separate()
        sink.append(text)
    }

    @inline(__always)
    private mutating func separate() {
        if needsComma { sink.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        sink.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        sink.append(bracket)
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
    /// Appends a string with Go's escapes; runs without any are copied whole.
    ///
    /// `first` is the first byte that may need an escape.
    private mutating func escape(_ text: UnsafeBufferPointer<UInt8>, from first: Int) {
        guard let base = text.baseAddress else { return }
        sink.append(UInt8(ascii: "\""))
        var start = 0
        var index = first
        while index < text.count {
            let length = JSONScan.escapedLength(base, at: index, to: text.count)
            if length > 0 {
                sink.append(base + start, count: index - start)
                appendEscape(base, at: index)
                start = index + length
            }
            index = JSONScan.firstEscaped(base, from: index + max(1, length), to: text.count)
        }
        sink.append(base + start, count: text.count - start)
        sink.append(UInt8(ascii: "\""))
    }

    private mutating func appendEscape(_ base: UnsafePointer<UInt8>, at index: Int) {
        switch base[index] {
        case UInt8(ascii: "\""): sink.append("\\\"")
        case UInt8(ascii: "\\"): sink.append("\\\\")
        case UInt8(ascii: "\n"): sink.append("\\n")
        case UInt8(ascii: "\r"): sink.append("\\r")
        case UInt8(ascii: "\t"): sink.append("\\t")
        case 0xE2: sink.append(base[index + 2] == 0xA8 ? "\\u2028" : "\\u2029")
        case let byte:
            let digits: StaticString = "0123456789abcdef"
            sink.append("\\u00")
            sink.append(digits.utf8Start[Int(byte >> 4)])
            sink.append(digits.utf8Start[Int(byte & 15)])
        }
    }
}
