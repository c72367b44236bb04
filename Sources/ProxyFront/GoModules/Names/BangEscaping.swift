/// The proxy protocol's case escaping: an upper-case letter is written as `!` and its lower-case letter, so
/// that names differ on file systems that ignore case (golang.org/ref/mod, "Module proxy protocol").
enum BangEscaping {
    static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: ASCII.isUpper) else { return text }
        var escaped: [UInt8] = []
        escaped.reserveCapacity(text.utf8.count + 8)
        for byte in text.utf8 {
            if ASCII.isUpper(byte) { escaped.append(UInt8(ascii: "!")) }
            escaped.append(ASCII.lowercased(byte))
        }
        return String(decoding: escaped, as: UTF8.self)
    }

    /// The bytes that `escaped` spells, or nil when it holds an upper-case letter, a byte beyond ASCII, or a
    /// `!` that no lower-case letter follows.
    static func unescape(_ escaped: ArraySlice<UInt8>) -> [UInt8]? {
        var text: [UInt8] = []
        text.reserveCapacity(escaped.count)
        var banged = false
        for byte in escaped {
            if banged {
                guard ASCII.isLower(byte) else { return nil }
                text.append(byte - 0x20)
                banged = false
            } else if byte == UInt8(ascii: "!") {
                banged = true
            } else if byte >= 0x80 || ASCII.isUpper(byte) {
                return nil
            } else {
                text.append(byte)
            }
        }
        return banged ? nil : text
    }
}
