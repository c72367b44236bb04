/// Kinds of ASCII text, told eight bytes at a time.
package enum ASCIIText {
    /// Whether all bytes may stand in a request target as they are: visible ASCII without `#`, which is never sent, and
    /// without the characters that no URI may hold and that proxies are known to read differently (`"`, `<`, `>`, `\`).
    package static func isTarget(_ bytes: UnsafeRawBufferPointer) -> Bool {
        none(of: bytes) { word in
            notPrintable(word) | places(of: " ", in: word) | places(of: "\"", in: word)
                | places(of: "#", in: word) | places(of: "<", in: word) | places(of: ">", in: word)
                | places(of: "\\", in: word)
        }
    }

    /// Whether a JSON string holds the bytes as they are (RFC 8259 section 7). Others than ASCII are for the caller to
    /// look at: some begin a character that splits lines.
    package static func isPlainJSON(_ bytes: UnsafeRawBufferPointer) -> Bool {
        none(of: bytes) { word in
            notPrintable(word) | places(of: "\"", in: word) | places(of: "\\", in: word)
        }
    }

    /// Whether `isOdd` finds nothing in any word of the bytes.
    @inline(__always)
    private static func none(of bytes: UnsafeRawBufferPointer, _ isOdd: (UInt64) -> UInt64) -> Bool {
        guard bytes.count >= 8 else {
            // Filled up with something that is never odd.
            var word = ones &* 0x30
            withUnsafeMutableBytes(of: &word) { $0.copyMemory(from: bytes) }
            return isOdd(word) == 0
        }
        var start = 0
        while start < bytes.count {
            // The last word ends with the last byte, and looks at some a second time.
            let place = min(start, bytes.count - 8)
            let word = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            guard isOdd(word) == 0 else { return false }
            start += 8
        }
        return true
    }

    // Tests for a zero byte in a word: H. S. Warren, Hacker's Delight, section 6-1. They are exact in whether there is
    // one, not in where.

    private static var ones: UInt64 { 0x0101_0101_0101_0101 }
    private static var highs: UInt64 { 0x8080_8080_8080_8080 }

    /// Not 0 if a byte is not in 0x20...0x7e.
    @inline(__always)
    private static func notPrintable(_ word: UInt64) -> UInt64 {
        ((word &- ones &* 0x20) & highs) | (word & highs) | places(of: "\u{7f}", in: word)
    }

    /// Not 0 if a byte is `character`.
    @inline(__always)
    private static func places(of character: Unicode.Scalar, in word: UInt64) -> UInt64 {
        let rest = word ^ (ones &* UInt64(character.value))
        return (rest &- ones) & ~rest & highs
    }
}
