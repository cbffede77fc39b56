/// The few transcendental functions that balancing needs, from arithmetic alone.
///
/// This module imports no mathematics library, and every client must compute the same bits: only
/// IEEE additions, multiplications and divisions are used.
enum Approximation {
    private static let naturalLogarithmOfTwo = 0.693_147_180_559_945_3

    /// 2 to the power of `-exponent`, for exponents from 0 up; the relative error is below 1e-4.
    ///
    /// 1 for what is not above 0, 0 from 1,022 up.
    @inline(__always)
    static func halved(_ exponent: Double) -> Double {
        guard exponent > 0 else { return 1 }
        guard exponent < 1022 else { return 0 }
        let whole = Int(exponent)
        let rest = exponent - Double(whole)
        // A quartic that is exact at both ends and has the right slope at 0.
        let sum = 1 - rest * (0.693_147 - rest * (0.240_2 - rest * (0.054_6 - rest * 0.007_547)))
        return sum * Double(bitPattern: UInt64(1023 - whole) << 52)
    }

    /// The logarithm of `value` to base 2, for positive normal values; the error is below 1e-7.
    @inline(__always)
    static func logarithm(_ value: Double) -> Double {
        let bits = value.bitPattern
        let exponent = Double(Int(bits >> 52 & 0x7ff) - 1023)
        let fraction = Double(bitPattern: bits & 0x000f_ffff_ffff_ffff | 1023 << 52)
        // ln m = 2 (s + s³/3 + s⁵/5 + …) with s = (m - 1) / (m + 1), at most 1/3.
        let ratio = (fraction - 1) / (fraction + 1)
        let square = ratio * ratio
        var sum = 1.0 / 13
        sum = sum * square + 1.0 / 11
        sum = sum * square + 1.0 / 9
        sum = sum * square + 1.0 / 7
        sum = sum * square + 1.0 / 5
        sum = sum * square + 1.0 / 3
        sum = sum * square + 1
        return exponent + 2 * ratio * sum / naturalLogarithmOfTwo
    }

    /// `base` to the power of `exponent`, for bases from 0 to 1 and positive exponents.
    static func power(_ base: Double, _ exponent: Double) -> Double {
        guard base > 1e-300 else { return 0 }
        return base >= 1 ? 1 : halved(-exponent * logarithm(base))
    }
}
