/// A JSON object that is written field by field into one line, in order (RFC 8259).
package struct JSONLine {
    private var text = "{"

    package init() {}

    package mutating func add(_ key: String, _ value: String) {
        name(key)
        Self.append(value, to: &text)
    }

    package mutating func add(_ key: String, _ value: Int64) {
        name(key)
        text += String(value)
    }

    private mutating func name(_ key: String) {
        if text.utf8.count > 1 { text += "," }
        Self.append(key, to: &text)
        text += ":"
    }

    /// The whole object with a line feed.
    package var line: [UInt8] { Array((text + "}\n").utf8) }

    private static func append(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            // Line separators are legal in JSON, but split lines for some readers.
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
