/// A moment as HTTP writes it: whole seconds, in GMT (RFC 9110 section 5.6.7).
public struct HTTPDate: Sendable, Hashable, Comparable {
    /// Seconds since 1970-01-01T00:00:00Z.
    public let seconds: Int64

    public init(seconds: Int64) { self.seconds = seconds }

    public static func < (a: HTTPDate, b: HTTPDate) -> Bool { a.seconds < b.seconds }

    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The preferred form: `Sun, 06 Nov 1994 08:49:37 GMT`.
    public var text: String {
        let day = Int64((Double(seconds) / 86_400).rounded(.down))
        let second = Int(seconds - day * 86_400)
        let (year, month, monthDay) = Self.civil(day: day)
        let weekday = Int(((day % 7) + 7) % 7)
        return
            "\(Self.days[weekday]), \(Self.pad(monthDay, 2)) \(Self.months[month - 1]) \(Self.pad(Int(year), 4)) "
            + "\(Self.pad(second / 3600, 2)):\(Self.pad(second / 60 % 60, 2)):\(Self.pad(second % 60, 2)) GMT"
    }

    /// Reads the preferred form and the two obsolete ones (RFC 850, asctime). Nil for anything else, as a
    /// recipient must ignore a date that it cannot read. `nowYear` places the two-digit years of RFC 850:
    /// more than 50 years ahead means the past.
    public init?(_ text: String, nowYear: Int = 2026) {
        let fields = text.split(separator: " ", omittingEmptySubsequences: true)
        let parts: (day: Substring, month: Substring, year: Substring, time: Substring)
        switch fields.count {
        case 6 where fields[5] == "GMT" && fields[0].count == 4 && fields[0].last == ",":
            parts = (fields[1], fields[2], fields[3], fields[4])
            guard parts.day.utf8.count == 2, parts.year.utf8.count == 4 else { return nil }
        case 4 where fields[3] == "GMT" && fields[0].last == ",":
            let date = fields[1].split(separator: "-", omittingEmptySubsequences: false)
            guard date.count == 3, date[0].utf8.count == 2, date[2].utf8.count == 2 else { return nil }
            parts = (date[0], date[1], date[2], fields[2])
        case 5 where fields[0].count == 3:
            parts = (fields[2], fields[1], fields[4], fields[3])
            guard parts.year.utf8.count == 4 else { return nil }
        default: return nil
        }
        guard let month = Self.months.firstIndex(of: String(parts.month)),
            let day = Self.number(parts.day), var year = Self.number(parts.year),
            let time = Self.time(parts.time), (1...31).contains(day)
        else { return nil }
        if parts.year.utf8.count == 2 {
            year += nowYear / 100 * 100
            if year > nowYear + 50 { year -= 100 }
        }
        let dayNumber = Self.dayNumber(year: Int64(year), month: month + 1, day: day)
        guard Self.civil(day: dayNumber) == (Int64(year), month + 1, day) else { return nil }
        seconds = dayNumber * 86_400 + Int64(time)
    }

    private static func time(_ text: Substring) -> Int? {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 3, fields.allSatisfy({ $0.utf8.count == 2 }),
            let hour = number(fields[0]), let minute = number(fields[1]), let second = number(fields[2]),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    /// Digits only, at most four.
    private static func number(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy(ByteClass.isDigit) else { return nil }
        return Int(text)
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// Days since 1970-01-01 of a date of the Gregorian calendar, by eras of 400 years that start in March.
    private static func dayNumber(year: Int64, month: Int, day: Int) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The inverse of `dayNumber`.
    private static func civil(day: Int64) -> (year: Int64, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let dayOfMonth = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        let month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }
}
