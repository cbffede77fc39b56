/// Prepared JSON as MessagePack, without a value in between.
extension MessagePackWriter {
    /// Appends the value that the text stands for: the same bytes as if it had been decoded.
    ///
    /// Only for what `JSON.encode` made of texts, integers, truth values, and lists and maps of
    /// them: entries of maps stay in their order. False, with nothing appended, for what needs
    /// more care, such as fractions and more than 15 elements, and for what is no JSON.
    package mutating func transcribe(_ json: UnsafeRawBufferPointer) -> Bool {
        guard let start = json.baseAddress else { return false }
        let mark = sink.count
        var text = JSONCursor(
            base: start.assumingMemoryBound(to: UInt8.self),
            end: json.count
        )
        guard transcribe(&text, depth: 0), text.place == text.end else {
            sink.removeAll(from: mark)
            return false
        }
        return true
    }

    private mutating func transcribe(_ text: inout JSONCursor, depth: Int) -> Bool {
        switch text.next {
        case UInt8(ascii: "\""):
            return transcribeString(&text)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            return transcribeInteger(&text)
        case UInt8(ascii: "{"):
            return transcribeElements(&text, header: 0x80, close: UInt8(ascii: "}"), depth)
        case UInt8(ascii: "["):
            return transcribeElements(&text, header: 0x90, close: UInt8(ascii: "]"), depth)
        case UInt8(ascii: "n"):
            null()
            return text.take("null")
        case UInt8(ascii: "t"):
            bool(true)
            return text.take("true")
        case UInt8(ascii: "f"):
            bool(false)
            return text.take("false")
        default:
            return false
        }
    }

    /// A text; one that is not all plain ASCII is left to the reader.
    private mutating func transcribeString(_ text: inout JSONCursor) -> Bool {
        let start = text.place + 1
        let (end, isPlain) = JSONScan.endOfString(text.base, from: start, to: text.end)
        guard end < text.end else { return false }
        defer { text.place = end + 1 }
        guard !isPlain else {
            raw(UnsafeRawBufferPointer(start: text.base + start, count: end - start))
            return true
        }
        let quoted = UnsafeBufferPointer(start: text.base + start - 1, count: end - start + 2)
        do throws(WireError) {
            var reader = JSONReader(quoted, refusesUnknownKeys: false)
            string(try reader.readString())
            return true
        } catch {
            return false
        }
    }

    private mutating func transcribeInteger(_ text: inout JSONCursor) -> Bool {
        let isNegative = text.next == UInt8(ascii: "-")
        if isNegative { text.place += 1 }
        var value: UInt64 = 0
        let first = text.place
        while case let digit = text.next &- 0x30, digit < 10 {
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, tooLarge) = scaled.addingReportingOverflow(UInt64(digit))
            guard !overflow, !tooLarge else { return false }
            value = sum
            text.place += 1
        }
        let isFraction =
            switch text.next {
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
            default: false
            }
        let hasExtraZero = text.place > first + 1 && text.base[first] == UInt8(ascii: "0")
        guard text.place > first, !hasExtraZero, !isFraction else { return false }
        guard isNegative else {
            unsigned(value)
            return true
        }
        guard value <= UInt64(Int64.max) else { return false }
        integer(-Int64(value))
        return true
    }

    /// A list or map of at most 15 elements.
    private mutating func transcribeElements(
        _ text: inout JSONCursor,
        header: UInt8,
        close: UInt8,
        _ depth: Int
    ) -> Bool {
        guard depth < WireLimits.depth else { return false }
        let mark = sink.count
        sink.append(header)
        text.place += 1
        var count: UInt8 = 0
        while text.next != close {
            if count > 0 {
                guard text.next == UInt8(ascii: ",") else { return false }
                text.place += 1
            }
            if header == 0x80 {
                guard text.next == UInt8(ascii: "\""), transcribeString(&text),
                    text.next == UInt8(ascii: ":")
                else { return false }
                text.place += 1
            }
            count += 1
            guard count < 16, transcribe(&text, depth: depth + 1) else { return false }
        }
        text.place += 1
        sink.replace(at: mark, header | count)
        return true
    }
}

/// A place in JSON text.
private struct JSONCursor {
    let base: UnsafePointer<UInt8>
    let end: Int
    var place = 0

    /// The byte that comes next; zero at the end.
    var next: UInt8 {
        place < end ? base[place] : 0
    }

    /// Steps over `word`; false when something else comes next.
    mutating func take(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard place + count <= end, JSONScan.equal(base + place, word.utf8Start, count: count)
        else { return false }
        place += count
        return true
    }
}
