/// The character classes of RFC 9110 section 5.6 and RFC 3986, as tests on single bytes.
enum ByteClass {
    /// tchar: what method and field names are made of.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool { has(byte, token) }

    /// What a field value may hold: tab, space, visible ASCII and obs-text, but no other control character.
    @inline(__always)
    static func isFieldValue(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7F) || byte == 0x09 }

    /// What the host and port of a Host field may hold (RFC 3986 section 3.2.2), brackets and colon included.
    @inline(__always)
    static func isHost(_ byte: UInt8) -> Bool { has(byte, host) }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    @inline(__always)
    static func isWhitespace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The value of a hexadecimal digit.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = byte | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x61 &+ 10 : nil
    }

    /// A set of ASCII characters, one bit each.
    private typealias ASCIISet = (low: UInt64, high: UInt64)

    @inline(__always)
    private static func has(_ byte: UInt8, _ set: ASCIISet) -> Bool {
        byte < 64
            ? set.low & (1 << UInt64(byte)) != 0 : byte < 128 && set.high & (1 << UInt64(byte & 63)) != 0
    }

    // Written out, because a stored static would cost a once-check per byte.

    /// letters, digits and !#$%&'*+-.^_`|~
    @inline(__always)
    private static var token: ASCIISet { (0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE) }

    /// letters, digits and -._~!$&'()*+,;=%[]:
    @inline(__always)
    private static var host: ASCIISet { (0x2FFF_7FF2_0000_0000, 0x47FF_FFFE_AFFF_FFFE) }
}
