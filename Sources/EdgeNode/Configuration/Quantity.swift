/// A text that is not the quantity a setting asks for.
package struct QuantityError: Error, Equatable, CustomStringConvertible {
    package var description: String
}

/// Sizes as people write them: a number and a unit, such as `50 GiB`, `64 KiB`, `1.5 MB` or `512`.
package enum ByteSize {
    private static let units: [(name: String, bytes: Int64)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("KB", 1000),
        ("B", 1),
    ]

    /// The number of bytes that `text` means. Units are 1024-based (KiB, MiB, GiB, TiB) or 1000-based
    /// (kB, MB, GB, TB); a bare number counts bytes.
    package static func parse(_ text: String) throws(QuantityError) -> Int64 {
        let (digits, unit) = split(text)
        let remedy = "write a number and a unit, such as \"50 GiB\" or \"64 KiB\""
        guard let number = Double(digits), number >= 0, number.isFinite else {
            throw QuantityError(description: "\"\(text)\" is not a size; \(remedy)")
        }
        guard let scale = unit.isEmpty ? 1 : units.first(where: { $0.name == unit })?.bytes else {
            throw QuantityError(
                description:
                    "\"\(text)\" has an unknown unit \"\(unit)\"; use B, KiB, MiB, GiB, TiB, kB, MB, GB or TB"
            )
        }
        let bytes = number * Double(scale)
        guard bytes < Double(Int64.max) else {
            throw QuantityError(description: "\"\(text)\" is larger than any disk; \(remedy)")
        }
        return Int64(bytes.rounded())
    }

    /// The shortest exact text in a 1024-based unit: `50 GiB`, `1536 B`.
    package static func text(_ bytes: Int64) -> String {
        for unit in units.prefix(4) where bytes >= unit.bytes && bytes % unit.bytes == 0 {
            return "\(bytes / unit.bytes) \(unit.name)"
        }
        return "\(bytes) B"
    }

    /// A text for people with three significant digits: `1.46 GiB`.
    package static func rounded(_ bytes: Int64) -> String {
        guard let unit = units.prefix(4).first(where: { bytes >= $0.bytes }) else { return "\(bytes) B" }
        let value = Double(bytes) / Double(unit.bytes)
        let factor: Double = value < 10 ? 100 : value < 100 ? 10 : 1
        let shown = (value * factor).rounded() / factor
        return shown == shown.rounded() ? "\(Int64(shown)) \(unit.name)" : "\(shown) \(unit.name)"
    }
}

/// Spans of time as people write them: `60s`, `2m`, `1h30m`, `90d`, `250ms`.
package enum DurationText {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// The span that `text` means: whole numbers, each with its unit (d, h, m, s, ms), added up; `0` alone
    /// needs no unit.
    package static func parse(_ text: String) throws(QuantityError) -> Duration {
        if text == "0" { return .zero }
        var rest = Substring(text)
        var total: Int64 = 0
        let problem = QuantityError(
            description:
                "\"\(text)\" is not a span of time; write a number and a unit, such as \"60s\", \"2m\" or \"90d\""
        )
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let number = Int64(digits), let unit = units.first(where: { $0.name == name }) else {
                throw problem
            }
            let (part, tooMany) = number.multipliedReportingOverflow(by: unit.milliseconds)
            let (sum, tooLong) = total.addingReportingOverflow(part)
            guard !tooMany, !tooLong else { throw problem }
            total = sum
        }
        guard !text.isEmpty else { throw problem }
        return .milliseconds(total)
    }

    /// The shortest exact text: `90d`, `1h30m`, `250ms`.
    package static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        var rest = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        guard rest > 0 else { return "0s" }
        var text = ""
        for unit in units where rest >= unit.milliseconds {
            text += "\(rest / unit.milliseconds)\(unit.name)"
            rest %= unit.milliseconds
        }
        return text
    }
}

private func split(_ text: String) -> (digits: String, unit: String) {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "_") }
    let unit = text.dropFirst(digits.count).drop { $0 == " " }
    return (digits.filter { $0 != "_" }, String(unit))
}

/// What `parse` makes of a text, its complaint being one about a setting.
func parsed<Value>(_ parse: () throws(QuantityError) -> Value) throws(BadSetting) -> Value {
    do throws(QuantityError) {
        return try parse()
    } catch {
        throw BadSetting(error.description)
    }
}
