extension FixedWidthInteger {
    /// The value's bytes, lowest first, as all numbers in the store's own formats are written.
    var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }

    /// Reads a value that starts `offset` bytes after the start of `bytes`; there must be enough of them.
    init(littleEndian bytes: ArraySlice<UInt8>, at offset: Int) {
        let start = bytes.startIndex + offset
        var value: Self = 0
        for position in (0..<Self.bitWidth / 8).reversed() {
            value = value << 8 | Self(truncatingIfNeeded: bytes[start + position])
        }
        self = value
    }
}
