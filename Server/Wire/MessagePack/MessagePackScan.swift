/// Finds where values end without decoding them; nothing is allocated.
package enum MessagePackScan {
    package enum Outcome: Hashable, Sendable {
        /// The offset of the byte behind the value.
        case end(Int)
        /// The bytes stop inside the value, which needs at least this many in all.
        case incomplete(atLeastBytes: Int)
    }

    /// Where the value that starts at `start` ends.
    ///
    /// O(elements of the value): contents of strings are stepped over.
    package static func end(
        ofValueAt start: Int,
        in bytes: UnsafeBufferPointer<UInt8>
    ) throws(WireError) -> Outcome {
        var place = start
        // Values that are still to come, the one that is looked at included.
        var pending = 1
        while pending > 0 {
            guard place < bytes.count else {
                return .incomplete(atLeastBytes: place - start + pending)
            }
            let tag = bytes[place]
            pending -= 1
            switch try size(of: tag) {
            case .fixed(let length, let values):
                place += length
                pending += values
            case .counted(let width, let scale, let perElement):
                guard place + 1 + width <= bytes.count else {
                    return .incomplete(atLeastBytes: place - start + 1 + width)
                }
                var count = 0
                for offset in 1...width { count = count << 8 | Int(bytes[place + offset]) }
                place += 1 + width + count * scale
                pending += count * perElement
            }
            guard place <= bytes.count else {
                return .incomplete(atLeastBytes: place - start + pending)
            }
        }
        return .end(place)
    }

    private enum Size {
        /// So many bytes, the tag included, and so many values behind them.
        case fixed(Int, values: Int)
        /// A count of `width` bytes follows: of bytes (`scale`) or of values (`perElement`).
        case counted(width: Int, scale: Int, perElement: Int)
    }

    private static func size(of tag: UInt8) throws(WireError) -> Size {
        switch tag {
        case 0..<0x80, 0xE0...0xFF, 0xC0, 0xC2, 0xC3: return .fixed(1, values: 0)
        case 0x80...0x8F: return .fixed(1, values: 2 * Int(tag & 15))
        case 0x90...0x9F: return .fixed(1, values: Int(tag & 15))
        case 0xA0...0xBF: return .fixed(1 + Int(tag & 31), values: 0)
        case 0xC4, 0xD9: return .counted(width: 1, scale: 1, perElement: 0)
        case 0xC5, 0xDA: return .counted(width: 2, scale: 1, perElement: 0)
        case 0xC6, 0xDB: return .counted(width: 4, scale: 1, perElement: 0)
        case 0xCC, 0xD0: return .fixed(2, values: 0)
        case 0xCD, 0xD1: return .fixed(3, values: 0)
        case 0xCA, 0xCE, 0xD2: return .fixed(5, values: 0)
        case 0xCB, 0xCF, 0xD3: return .fixed(9, values: 0)
        case 0xDC: return .counted(width: 2, scale: 0, perElement: 1)
        case 0xDD: return .counted(width: 4, scale: 0, perElement: 1)
        case 0xDE: return .counted(width: 2, scale: 0, perElement: 2)
        case 0xDF: return .counted(width: 4, scale: 0, perElement: 2)
        default:
            throw WireError(.type, "msgpack: byte 0x\(String(tag, radix: 16)) starts no value")
        }
    }
}
