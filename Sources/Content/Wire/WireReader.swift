/// Why bytes from another node make no message.
package enum WireError: Error, Equatable, CustomStringConvertible {
    /// It ends before what it announces.
    case truncated
    /// A number or a length is above what the format permits.
    case tooLarge(UInt64, limit: UInt64)
    /// A value that the format does not have; `what` names the field.
    case malformed(String)
    /// Bytes follow where nothing may.
    case trailing(Int)

    package var description: String {
        switch self {
        case .truncated: "the message ends before what it announces"
        case .tooLarge(let found, let limit): "a length of \(found) is above the limit of \(limit)"
        case .malformed(let what): "malformed: \(what)"
        case .trailing(let count): "\(count) bytes follow the end of the message"
        }
    }
}

/// Takes values out of the bytes of a message, front to back (docs/wire-formats.md, "Values").
///
/// Nothing is allocated for a length before the bytes are known to be there. After a throw the reader stands
/// somewhere inside the value and is of no use any more.
package struct WireReader: Sendable {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    /// Bytes that were not read yet.
    package var remaining: Int { bytes.endIndex - position }
    package var isAtEnd: Bool { position == bytes.endIndex }
    /// Everything that was not read yet.
    package var rest: ArraySlice<UInt8> { bytes[position...] }

    package mutating func read<Number: FixedWidthInteger>(
        _ type: Number.Type = Number.self
    ) throws(WireError) -> Number {
        let slice = try readBytes(MemoryLayout<Number>.size)
        var value: Number = 0
        for byte in slice.reversed() {
            value = Number(truncatingIfNeeded: UInt64(truncatingIfNeeded: value) << 8 | UInt64(byte))
        }
        return value
    }

    package mutating func readBytes(_ count: Int) throws(WireError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= remaining else { throw .truncated }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// An unsigned LEB128 in its shortest form, at most `limit`.
    package mutating func readNumber(limit: UInt64 = .max) throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard position < bytes.endIndex else { throw .truncated }
            let byte = bytes[position]
            position += 1
            guard shift < 63 || byte <= 1 else { throw .malformed("a number of more than 64 bits") }
            value |= UInt64(byte & 0x7f) << shift
            guard byte & 0x80 != 0 else {
                guard byte != 0 || shift == 0 else {
                    throw .malformed("a number in a longer form than needed")
                }
                break
            }
            shift += 7
        }
        guard value <= limit else { throw .tooLarge(value, limit: limit) }
        return value
    }

    /// A count or a length, at most `limit`.
    package mutating func readCount(limit: Int) throws(WireError) -> Int {
        Int(try readNumber(limit: UInt64(limit)))
    }

    /// A number of bytes, at most `limit`, then these.
    package mutating func readBlock(limit: Int) throws(WireError) -> ArraySlice<UInt8> {
        try readBytes(try readCount(limit: limit))
    }

    /// UTF-8 of at most `limit` bytes.
    package mutating func readText(limit: Int) throws(WireError) -> String {
        let raw = try readBlock(limit: limit)
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw .malformed("a text that is not UTF-8")
        }
        return text
    }

    /// - Throws: `WireError.trailing` unless everything was read.
    package func expectEnd() throws(WireError) {
        guard isAtEnd else { throw .trailing(remaining) }
    }
}
