import Content

/// A JSON object that is written field by field into one line, in order (RFC 8259).
package struct JSONLine {
    private var bytes: [UInt8] = []

    package init() {
        bytes.reserveCapacity(320)
        bytes.append(UInt8(ascii: "{"))
    }

    package mutating func add(_ key: String, _ value: String) {
        name(key)
        append(value)
    }

    package mutating func add(_ key: String, _ value: Int64) {
        name(key)
        bytes.append(contentsOf: String(value).utf8)
    }

    private mutating func name(_ key: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        append(key)
        bytes.append(UInt8(ascii: ":"))
    }

    /// The whole object with a line feed.
    package consuming func line() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private mutating func append(_ value: String) {
        bytes.append(UInt8(ascii: "\""))
        var value = value
        let isPlain = value.withUTF8 { utf8 in
            let isPlain = ASCIIText.isPlainJSON(UnsafeRawBufferPointer(utf8))
            if isPlain { bytes.append(contentsOf: utf8) }
            return isPlain
        }
        if !isPlain { for scalar in value.unicodeScalars { append(scalar) } }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": append(escape: "\\\"")
        case "\\": append(escape: "\\\\")
        case "\n": append(escape: "\\n")
        case "\r": append(escape: "\\r")
        case "\t": append(escape: "\\t")
        // Line separators are legal in JSON, but split lines for some readers.
        case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}":
            let digits = String(scalar.value, radix: 16)
            append(escape: "\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
        default: bytes.append(contentsOf: UTF8.encode(scalar)!)
        }
    }

    private mutating func append(escape text: String) { bytes.append(contentsOf: text.utf8) }
}
