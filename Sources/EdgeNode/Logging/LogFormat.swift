import Foundation
import Logging

/// One log event as a line of bytes, ending in a line feed.
package struct LogFormat: Sendable {
    package enum Style: Sendable {
        /// `2026-01-31T08:00:00.000Z info  message key=value`
        case human
        /// `<6>message key=value`: the journal adds time and name (sd-daemon(3)).
        case journal
        /// One JSON object a line.
        case json
    }

    package var style: Style

    package init(_ style: Style) { self.style = style }

    package func line(
        time: Date, level: Logger.Level, label: String, message: String, metadata: [(String, String)]
    ) -> [UInt8] {
        switch style {
        case .human:
            var text = Timestamp.text(time) + " " + Self.name(level)
            text += String(repeating: " ", count: max(1, 8 - Self.name(level).count))
            return Array((text + body(message, metadata) + "\n").utf8)
        case .journal:
            return Array("<\(Self.priority(level))>\(body(message, metadata))\n".utf8)
        case .json:
            var object = JSONLine()
            object.add("time", Timestamp.text(time))
            object.add("level", Self.name(level))
            object.add("from", label)
            object.add("message", message)
            for (key, value) in metadata { object.add(named: key, value) }
            return object.line()
        }
    }

    private func body(_ message: String, _ metadata: [(String, String)]) -> String {
        var text = Self.oneLine(message)
        for (key, value) in metadata { text += " \(key)=\(Self.quoted(value))" }
        return text
    }

    /// Control characters are shown, not obeyed: what a client sends cannot forge a line or move the cursor.
    private static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            return text
        }
        var clean = ""
        for scalar in text.unicodeScalars {
            clean +=
                scalar.properties.generalCategory == .control
                ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return clean
    }

    private static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") }
        if isPlain { return text }
        return "\"" + oneLine(text.replacingOccurrences(of: "\"", with: "\\\"")) + "\""
    }

    private static func name(_ level: Logger.Level) -> String {
        level == .critical ? "error" : level.rawValue
    }

    /// The syslog priority of a level (RFC 5424, section 6.2.1).
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}

/// Instants as text, in UTC with milliseconds (RFC 3339).
package enum Timestamp {
    package static func text(_ time: Date) -> String {
        let milliseconds = max(0, Int64((time.timeIntervalSince1970 * 1000).rounded(.down)))
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        return String(unsafeUninitializedCapacity: 24) { bytes in
            var count = 0
            func write(_ number: Int32, _ width: Int, _ end: Unicode.Scalar) {
                var rest = number
                for place in stride(from: count + width - 1, through: count, by: -1) {
                    bytes[place] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                }
                bytes[count + width] = UInt8(ascii: end)
                count += width + 1
            }
            write(parts.tm_year + 1900, 4, "-")
            write(parts.tm_mon + 1, 2, "-")
            write(parts.tm_mday, 2, "T")
            write(parts.tm_hour, 2, ":")
            write(parts.tm_min, 2, ":")
            write(parts.tm_sec, 2, ".")
            write(Int32(milliseconds % 1000), 3, "Z")
            return count
        }
    }
}
