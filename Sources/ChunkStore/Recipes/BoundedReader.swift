/// Why bytes are not what they claim to be; thrown by every decoder of this folder.
package enum RecipeError: Error, Equatable, CustomStringConvertible {
    case truncated(at: Int)
    case notARecipe
    /// Written by a newer edgenode.
    case newerVersion(found: UInt8, supported: UInt8)
    case unknownSegment(kind: UInt8)
    case unknownChunkNaming(UInt8)
    case malformed(String)
    case checksum

    package var description: String {
        switch self {
        case .truncated(let offset): "the recipe ends early, at byte \(offset)"
        case .notARecipe: "these bytes are not a recipe: the magic number is missing"
        case .newerVersion(let found, let supported):
            "the recipe has format \(found), this program reads up to \(supported): use the newer program"
        case .unknownSegment(let kind):
            "the recipe holds a segment of the unknown kind \(kind): use the program that wrote it"
        case .unknownChunkNaming(let code):
            "the recipe names its chunks in the unknown way \(code): use the program that wrote it"
        case .malformed(let what): "the recipe is malformed: \(what)"
        case .checksum: "the recipe's checksum does not match its bytes"
        }
    }
}

/// A cursor over bytes from anywhere: it never reads past their end and never makes room for more than
/// what is really there.
struct BoundedReader {
    let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var remaining: Int { bytes.endIndex - position }

    mutating func byte() throws(RecipeError) -> UInt8 {
        guard position < bytes.endIndex else { throw .truncated(at: position) }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func take(_ count: Int) throws(RecipeError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= remaining else { throw .truncated(at: position) }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// Unsigned LEB128 of at most 63 bits, in its shortest form.
    mutating func varint() throws(RecipeError) -> Int64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 {
                guard byte != 0 || shift == 0 else {
                    throw .malformed("a number is not in its shortest form")
                }
                return Int64(value)
            }
            shift += 7
            guard shift < 63 else { throw .malformed("a number has more than 63 bits") }
        }
    }

    /// A number that says how many things follow, each of which takes `bytesEach` bytes or more.
    mutating func count(bytesEach: Int, of what: String) throws(RecipeError) -> Int {
        let count = try varint()
        guard count <= Int64(remaining / bytesEach) else {
            throw .malformed("it announces \(count) \(what), more than its bytes can hold")
        }
        return Int(count)
    }

    /// A number within `range`.
    mutating func varint(in range: ClosedRange<Int64>, _ what: String) throws(RecipeError) -> Int64 {
        let value = try varint()
        guard range.contains(value) else {
            throw .malformed("\(what) is \(value), it must lie in \(range.lowerBound)...\(range.upperBound)")
        }
        return value
    }

    mutating func uint32() throws(RecipeError) -> UInt32 {
        try take(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension [UInt8] {
    /// Appends `value`, which must not be negative, as unsigned LEB128.
    mutating func append(varint value: Int64) {
        var rest = UInt64(value)
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    mutating func append(littleEndian value: UInt32) {
        append(contentsOf: [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> $0) })
    }

    mutating func append(littleEndian value: UInt16) {
        append(UInt8(truncatingIfNeeded: value))
        append(UInt8(truncatingIfNeeded: value >> 8))
    }
}
