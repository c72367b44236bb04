import Content

/// A JSON object that is written field by field into one line, in order (RFC 8259).
package struct JSONLine {
    /// The line, and room for more behind its first `count` bytes.
    private var bytes: [UInt8]
    private var count = 1

    package init() {
        bytes = [UInt8](repeating: 0, count: 512)
        bytes[0] = UInt8(ascii: "{")
    }

    /// - Parameter key: ASCII that needs no escapes.
    package mutating func add(_ key: StaticString, _ value: String) {
        let key = UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        put(key, "\":\"", value, "\"")
    }

    /// - Parameter key: ASCII that needs no escapes.
    package mutating func add(_ key: StaticString, _ value: Int64) {
        let key = UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        put(key, "\":", "\(value)", "")
    }

    /// A field whose key is known at run time only.
    package mutating func add(named key: String, _ value: String) {
        var key = escaped(key)
        key.withUTF8 { put(UnsafeRawBufferPointer($0), "\":\"", value, "\"") }
    }

    /// The whole object with a line feed.
    package consuming func line() -> [UInt8] {
        makeRoom(2)
        bytes[count] = UInt8(ascii: "}")
        bytes[count + 1] = UInt8(ascii: "\n")
        bytes.removeLast(bytes.count - count - 2)
        return bytes
    }

    private mutating func put(
        _ key: UnsafeRawBufferPointer, _ middle: StaticString, _ value: String, _ end: StaticString
    ) {
        var value = value
        let isPlain = value.withUTF8 { utf8 in
            let utf8 = UnsafeRawBufferPointer(utf8)
            guard ASCIIText.isPlainJSON(utf8) else { return false }
            put(key, middle, utf8, end)
            return true
        }
        guard !isPlain else { return }
        var text = escaped(value)
        text.withUTF8 { put(key, middle, UnsafeRawBufferPointer($0), end) }
    }

    private mutating func put(
        _ key: UnsafeRawBufferPointer, _ middle: StaticString, _ value: UnsafeRawBufferPointer,
        _ end: StaticString
    ) {
        makeRoom(2 + key.count + middle.utf8CodeUnitCount + value.count + end.utf8CodeUnitCount)
        bytes.withUnsafeMutableBytes { room in
            Self.write(count > 1 ? ",\"" : "\"", room, &count)
            Self.write(key, room, &count)
            Self.write(middle, room, &count)
            Self.write(value, room, &count)
            Self.write(end, room, &count)
        }
    }

    private mutating func makeRoom(_ wanted: Int) {
        guard wanted > bytes.count - count else { return }
        bytes.append(contentsOf: repeatElement(0, count: max(wanted, bytes.count)))
    }

    @inline(__always)
    private static func write(
        _ text: StaticString, _ room: UnsafeMutableRawBufferPointer, _ count: inout Int
    ) {
        let text = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        write(text, room, &count)
    }

    @inline(__always)
    private static func write(
        _ text: UnsafeRawBufferPointer, _ room: UnsafeMutableRawBufferPointer, _ count: inout Int
    ) {
        UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyMemory(from: text)
        count += text.count
    }

    private func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": escaped += "\\\""
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\r": escaped += "\\r"
            case "\t": escaped += "\\t"
            // Line separators are legal in JSON, but split lines for some readers.
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
