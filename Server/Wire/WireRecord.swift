package import Model

/// A value that JSON and MessagePack can carry.
///
/// `init()` gives Go's zero value: what a missing or null field decodes to.
package protocol WireValue: Sendable {
    init()

    /// The name of the type in Go, for the texts of decoding errors.
    static var goType: String { get }

    /// True for the values that `omitempty` leaves out.
    var isZero: Bool { get }

    /// True for what a field has that is missing from MessagePack; false where that is not worth
    /// finding out.
    var isDefault: Bool { get }

    /// Whether a field of this type may be left out when none of its own fields was written.
    static var isRecord: Bool { get }

    func writeJSON(_ writer: inout JSONWriter)
    mutating func readJSON(_ reader: inout JSONReader) throws(WireError)
    func writePack(_ writer: inout MessagePackWriter)
    /// The same for a value whose owner lends it: the value is not copied.
    mutating func visitPack(_ writer: inout MessagePackWriter)
    mutating func readPack(_ reader: inout MessagePackReader) throws(WireError)
}

extension WireValue {
    package var isDefault: Bool { isZero }
    package static var isRecord: Bool { false }

    package mutating func visitPack(_ writer: inout MessagePackWriter) {
        writePack(&writer)
    }
}

/// A record that describes itself once, for both formats and both directions.
///
/// `visit` names every field in the order of Consul's JSON; MessagePack sorts by name as it
/// writes. The same function reads: a visitor that reads replaces the field whose key is next in
/// the input. The compiler specialises `visit` for each visitor, so that there are no tables at
/// run time.
package protocol WireRecord: WireValue {
    /// True for types whose Go counterpart decodes itself, which hides its fields from error texts.
    static var decodesItself: Bool { get }

    /// Whether an unknown key is refused, ignored, or treated as in the enclosing record.
    static var unknownKeys: UnknownKeys { get }

    /// False for types that `init()` gives values other than Go's zeros: none of their fields is
    /// ever left out.
    static var startsAtZero: Bool { get }

    mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) throws(WireError)
}

/// What a key does that its record does not have.
package enum UnknownKeys: Sendable {
    case asEnclosing
    case ignored
    case refused
}

/// How a field differs from the plain form; JSON only.
package struct FieldOptions: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Left out of JSON when it has its zero value.
    package static let omitEmpty = FieldOptions(rawValue: 1)
}

/// Goes over the fields of a record, writing or reading them.
package protocol FieldVisitor {
    static var isJSON: Bool { get }
    static var isReading: Bool { get }

    /// Visits one field; `goType` replaces the value's type name in errors when not empty.
    mutating func field<Value: WireValue>(
        _ name: StaticString,
        _ value: inout Value,
        _ options: FieldOptions,
        goType: StaticString
    ) throws(WireError)
}

extension FieldVisitor {
    package mutating func field<Value: WireValue>(
        _ name: StaticString,
        _ value: inout Value,
        _ options: FieldOptions = []
    ) throws(WireError) {
        try field(name, &value, options, goType: "")
    }

    package mutating func field<Value: WireValue>(
        _ name: StaticString,
        _ value: inout Value,
        goType: StaticString
    ) throws(WireError) {
        try field(name, &value, [], goType: goType)
    }

    /// Another name under which JSON input may carry a field; never written.
    package mutating func alias<Value: WireValue>(
        _ name: StaticString,
        _ value: inout Value
    ) throws(WireError) {
        guard Self.isJSON, Self.isReading else { return }
        try field(name, &value, [], goType: "")
    }

    /// A duration that JSON shows as text (`1m30s`) and MessagePack as nanoseconds.
    package mutating func durationText(
        _ name: StaticString,
        _ value: inout Nanoseconds,
        _ options: FieldOptions = []
    ) throws(WireError) {
        guard Self.isJSON, !Self.isReading else {
            return try field(name, &value, options, goType: "")
        }
        var text = value == .zero && options.contains(.omitEmpty) ? "" : GoDuration.format(value)
        try field(name, &text, options, goType: "")
    }

    /// Raw bytes: base64 in JSON, raw in MessagePack; no bytes are null.
    package mutating func bytes(
        _ name: StaticString,
        _ value: inout [UInt8],
        _ options: FieldOptions = []
    ) throws(WireError) {
        var wrapped = WireBytes(value)
        try field(name, &wrapped, options, goType: "")
        if Self.isReading { value = wrapped.bytes }
    }

    /// The two indexes that every stored record carries.
    package mutating func indexes(_ value: inout RecordIndexes) throws(WireError) {
        try field("CreateIndex", &value.create.rawValue)
        try field("ModifyIndex", &value.modify.rawValue)
    }
}

extension WireRecord {
    package static var decodesItself: Bool { false }
    package static var unknownKeys: UnknownKeys { .asEnclosing }
    package static var startsAtZero: Bool { true }
    package static var isRecord: Bool { true }
    package var isDefault: Bool { false }
    package var isZero: Bool { false }

    package func writeJSON(_ writer: inout JSONWriter) {
        var copy = self
        writer.beginObject()
        do { try copy.visit(&writer) } catch {}  // Writers refuse nothing.
        writer.endObject()
    }

    package mutating func readJSON(_ reader: inout JSONReader) throws(WireError) {
        guard try reader.beginRecord(Self.self) else { return }
        while reader.hasKey {
            reader.matched = false
            try visit(&reader)
            if !reader.matched { try reader.skipUnknownField() }
        }
        reader.endRecord()
    }

    package func writePack(_ writer: inout MessagePackWriter) {
        var copy = self
        copy.visitPack(&writer)
    }

    package mutating func visitPack(_ writer: inout MessagePackWriter) {
        let mark = writer.beginRecord(startsAtZero: Self.startsAtZero)
        do { try visit(&writer) } catch {}  // Writers refuse nothing.
        writer.endRecord(mark)
    }

    package mutating func readPack(_ reader: inout MessagePackReader) throws(WireError) {
        guard let enclosing = try reader.beginRecord() else {
            self = Self()
            return
        }
        while reader.hasKey {
            reader.matched = false
            try visit(&reader)
            if !reader.matched { try reader.skipUnknownField() }
        }
        reader.endRecord(enclosing)
    }
}
