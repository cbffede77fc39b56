extension JSONReader {
    /// The input ended inside a value, or before any.
    func endOfInput() -> WireError {
        for index in 0..<end where base[index] > 0x20 {
            return WireError(.syntax, "unexpected EOF")
        }
        return WireError(.syntax, "EOF")
    }

    /// The byte at `position` has no business there.
    func unexpected(_ place: String) -> WireError {
        guard position < end else { return endOfInput() }
        let character = GoQuote.quote(character: base[position])
        return WireError(.syntax, "invalid character \(character) \(place)")
    }

    /// The value that comes next does not fit the type.
    func mismatch(_ goType: String) -> WireError {
        let kind: String
        switch position < end ? base[position] : 0 {
        case UInt8(ascii: "\""): kind = "string"
        case UInt8(ascii: "{"): kind = "object"
        case UInt8(ascii: "["): kind = "array"
        case UInt8(ascii: "t"), UInt8(ascii: "f"): kind = "bool"
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): kind = "number"
        default: return unexpected("looking for beginning of value")
        }
        return typeError(kind, goType)
    }

    /// The number `text` does not fit the type.
    func mismatch(
        number text: UnsafeBufferPointer<UInt8>,
        _ goType: String
    ) -> WireError {
        typeError("number " + String(decoding: text, as: UTF8.self), goType)
    }

    private func typeError(_ kind: String, _ goType: String) -> WireError {
        let type = fieldType.utf8CodeUnitCount > 0 ? "\(fieldType)" : goType
        guard let (structure, path) = place() else {
            return WireError(.type, "json: cannot unmarshal \(kind) into Go value of type \(type)")
        }
        return WireError(
            .type,
            "json: cannot unmarshal \(kind) into Go struct field "
                + "\(structure).\(path) of type \(type)"
        )
    }

    /// The innermost structure and the path to the field, as far as Go can see.
    ///
    /// Types that decode themselves start anew inside, and what encloses them names its own field
    /// instead: the path ends at the first of them below the top.
    private func place() -> (structure: String, path: String)? {
        guard !frames.isEmpty else { return nil }
        var path: [String] = []
        for index in frames.indices {
            let next = index + 1 < frames.count ? frames[index + 1] : nil
            path.append("\(next?.field ?? field)")
            if let next, !next.decodesItself { continue }
            // A structure that Go does not name stays without a name.
            let full = frames[index].goType
            let name = full.hasPrefix("struct {") ? "" : full
            let start = name.lastIndex(of: ".").map { name.index(after: $0) } ?? name.startIndex
            return (String(name[start...]), path.joined(separator: "."))
        }
        return nil
    }
}
