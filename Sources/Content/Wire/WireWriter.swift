/// Puts values into the bytes of a message between nodes (docs/wire-formats.md, "Values").
package struct WireWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    package var count: Int { bytes.count }

    /// A fixed number of bytes in little-endian order.
    package mutating func write<Number: FixedWidthInteger>(_ value: Number) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Bytes whose number the reader knows.
    package mutating func write(_ raw: some Sequence<UInt8>) { bytes.append(contentsOf: raw) }

    /// An unsigned LEB128 in its shortest form.
    package mutating func writeNumber(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package mutating func writeNumber(_ value: Int) { writeNumber(UInt64(value)) }

    /// A number of bytes, then these.
    package mutating func writeBlock(_ raw: some Collection<UInt8>) {
        writeNumber(raw.count)
        bytes.append(contentsOf: raw)
    }

    package mutating func writeText(_ text: String) { writeBlock(text.utf8) }
}
