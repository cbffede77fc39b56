#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The `Date` field's value for the current second, formatted once per second.
///
/// - Source: RFC 9110 §5.6.7 (IMF-fixdate).
struct HTTPDate {
    /// What `text` stands for, in seconds since 1970.
    private(set) var second = -1
    /// Always 29 bytes.
    private(set) var text: [UInt8] = []

    static let length = 29

    /// Brings `text` up to date; costs one reading of the clock.
    mutating func update() {
        let now = HTTPDate.now()
        guard now != second else { return }
        second = now
        text = HTTPDate.format(now)
    }

    private static func now() -> Int {
        var time = timespec()
        #if os(Linux)
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        #else
        clock_gettime(CLOCK_REALTIME, &time)
        #endif
        return Int(time.tv_sec)
    }

    /// The current second as RFC 3339 writes it.
    static func timestamp() -> String {
        timestamp(now())
    }

    /// A second since 1970 as RFC 3339 writes it.
    static func timestamp(_ second: Int) -> String {
        let (year, month, day) = civilDate(ofDay: second / 86_400)
        return "\(year)-\(twoDigits(month))-\(twoDigits(day))T\(clockTime(second))Z"
    }

    /// The date as RFC 9110 writes it, for seconds since 1970 (never negative).
    static func format(_ second: Int) -> [UInt8] {
        let days = second / 86_400
        let (year, month, day) = civilDate(ofDay: days)
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let date = "\(weekdays[days % 7]), \(twoDigits(day)) \(months[month - 1]) \(year)"
        return Array("\(date) \(clockTime(second)) GMT".utf8)
    }

    private static func clockTime(_ second: Int) -> String {
        let rest = second % 86_400
        let hour = twoDigits(rest / 3600)
        return "\(hour):\(twoDigits(rest / 60 % 60)):\(twoDigits(rest % 60))"
    }

    /// Days since 1970 to year, month and day, after Howard Hinnant's `civil_from_days`.
    private static func civilDate(ofDay days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : String(number)
    }
}
