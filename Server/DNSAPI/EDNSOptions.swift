/// The options inside an OPT record.
///
/// ```
/// +------+------+--------+--------+---------
/// |     code    |     length      | data...
/// +------+------+--------+--------+---------
/// ```
/// - Source: RFC 6891 §6.1.2
struct EDNSOptions: Sequence, IteratorProtocol {
    struct Option {
        var code: UInt16
        var data: ArraySlice<UInt8>
        /// Whether the data is cut off or not what the code calls for.
        var isMalformed: Bool
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    mutating func next() -> Option? {
        guard !rest.isEmpty else { return nil }
        guard rest.count >= 4 else {
            rest = []
            return Option(code: 0, data: [], isMalformed: true)
        }
        let start = rest.startIndex
        let code = UInt16(rest[start]) << 8 | UInt16(rest[start + 1])
        let count = Int(rest[start + 2]) << 8 | Int(rest[start + 3])
        let data = rest.dropFirst(4).prefix(count)
        rest = rest.dropFirst(4 + data.count)
        let isMalformed =
            data.count < count || (code == ClientSubnet.code && ClientSubnet(data) == nil)
        return Option(code: code, data: data, isMalformed: isMalformed)
    }
}

/// The part of a client's address that a resolver passes on.
///
/// ```
/// +--------+--------+---------------+--------------+----------
/// |      family     | source prefix | scope prefix | address...
/// +--------+--------+---------------+--------------+----------
/// ```
/// - Source: RFC 7871 §6
struct ClientSubnet: Equatable {
    static let code: UInt16 = 8

    var family: UInt16
    var sourcePrefix: UInt8
    /// The bytes of the address that the prefix covers.
    var address: [UInt8]

    init?(_ data: ArraySlice<UInt8>) {
        guard data.count >= 4 else { return nil }
        let start = data.startIndex
        family = UInt16(data[start]) << 8 | UInt16(data[start + 1])
        sourcePrefix = data[start + 2]
        let scope = data[start + 3]
        address = Array(data.dropFirst(4))
        switch family {
        case 0:
            // Dig asks so when its user wants no subnet to be passed on.
            guard sourcePrefix == 0 else { return nil }
        case 1:
            guard sourcePrefix <= 32, scope <= 32 else { return nil }
        case 2:
            guard sourcePrefix <= 128, scope <= 128 else { return nil }
        default: return nil
        }
    }

    /// The option of the answer, valid for the subnet or, with `isGlobal`, for everyone.
    func answer(isGlobal: Bool) -> [UInt8] {
        let count = (Int(sourcePrefix) + 7) / 8
        var bytes =
            address.prefix(count) + Array(repeating: 0, count: max(0, count - address.count))
        let usedBits = sourcePrefix % 8
        if usedBits != 0, let last = bytes.last {
            bytes[bytes.endIndex - 1] = last & (0xFF << (8 - usedBits))
        }
        let scope = isGlobal ? 0 : sourcePrefix
        let length = UInt16(4 + (family == 0 ? 0 : bytes.count))
        var option: [UInt8] = [0, UInt8(ClientSubnet.code)]
        option += [UInt8(length >> 8), UInt8(truncatingIfNeeded: length)]
        option += [UInt8(family >> 8), UInt8(truncatingIfNeeded: family), sourcePrefix, scope]
        return family == 0 ? option : option + bytes
    }
}
