import Content

/// A zip made entry by entry, as regular or as crooked as a test needs it.
struct TestZip {
    enum Form {
        /// What Go's writer makes: sizes only behind the contents.
        case deflatedWithDescriptor(signed: Bool)
        case deflated
        case stored
        case storedWithDescriptor

        var isStored: Bool {
            switch self {
            case .stored, .storedWithDescriptor: true
            case .deflated, .deflatedWithDescriptor: false
            }
        }
    }

    struct Entry {
        var name: [UInt8]
        var contents: [UInt8]
        var form: Form
        /// What the compressed bytes are, when not those of `contents`.
        var packed: [UInt8]?
        /// The name in the entry's own header, when another.
        var localName: [UInt8]?
        /// Bytes that stand before the entry and belong to none.
        var gap: [UInt8] = []
        var extra: [UInt8] = []
        /// What the central directory says, when something else.
        var centralCRC: UInt32?
        var centralUnpacked: UInt32?
        var centralOffset: UInt32?
        var centralFlags: UInt16?
        /// Left out of the central directory.
        var isHidden = false

        init(_ name: String, _ contents: [UInt8], _ form: Form = .deflatedWithDescriptor(signed: true)) {
            self.name = Array(name.utf8)
            self.contents = contents
            self.form = form
        }

        init(_ name: String, _ contents: String, _ form: Form = .deflatedWithDescriptor(signed: true)) {
            self.init(name, Array(contents.utf8), form)
        }
    }

    var entries: [Entry] = []
    var leading: [UInt8] = []
    var comment: [UInt8] = []
    var trailing: [UInt8] = []
    /// What the end record says the number of entries is, when something else.
    var count: UInt16?

    init(_ entries: [Entry]) { self.entries = entries }

    /// The archive, and where each entry's compressed bytes lie.
    func build() -> (bytes: [UInt8], data: [Range<Int>]) {
        var bytes = leading
        var central: [UInt8] = []
        var data: [Range<Int>] = []
        var listed: UInt16 = 0
        for entry in entries {
            bytes += entry.gap
            let offset = UInt32(bytes.count - leading.count)
            let isStored = entry.form.isStored
            let packed = entry.packed ?? (isStored ? entry.contents : Deflate.packed(entry.contents))
            let crc = Deflate.crc32(entry.contents)
            var hasDescriptor = false
            var isSigned = true
            switch entry.form {
            case .deflatedWithDescriptor(let signed): (hasDescriptor, isSigned) = (true, signed)
            case .storedWithDescriptor: hasDescriptor = true
            case .deflated, .stored: break
            }
            let flags: UInt16 = hasDescriptor ? 8 : 0
            let method: UInt16 = isStored ? 0 : 8
            let sizes = UInt32(packed.count).bytes + UInt32(entry.contents.count).bytes
            let localName = entry.localName ?? entry.name
            bytes += UInt32(0x0403_4b50).bytes + UInt16(20).bytes + flags.bytes + method.bytes + [0, 0, 0, 0]
            bytes += hasDescriptor ? [UInt8](repeating: 0, count: 12) : crc.bytes + sizes
            bytes += UInt16(localName.count).bytes + UInt16(entry.extra.count).bytes + localName + entry.extra
            data.append(bytes.count..<(bytes.count + packed.count))
            bytes += packed
            if hasDescriptor {
                bytes += (isSigned ? UInt32(0x0807_4b50).bytes : []) + crc.bytes + sizes
            }
            if entry.isHidden { continue }
            listed += 1
            central += UInt32(0x0201_4b50).bytes + UInt16(20).bytes + UInt16(20).bytes
            central += (entry.centralFlags ?? flags).bytes + method.bytes + [0, 0, 0, 0]
            central += (entry.centralCRC ?? crc).bytes + UInt32(packed.count).bytes
            central += (entry.centralUnpacked ?? UInt32(entry.contents.count)).bytes
            central += UInt16(entry.name.count).bytes + [UInt8](repeating: 0, count: 12)
            central += (entry.centralOffset ?? offset).bytes + entry.name
        }
        let start = UInt32(bytes.count - leading.count)
        bytes += central + UInt32(0x0605_4b50).bytes + [0, 0, 0, 0]
        bytes += (count ?? listed).bytes + (count ?? listed).bytes + UInt32(central.count).bytes + start.bytes
        bytes += UInt16(comment.count).bytes + comment + trailing
        return (bytes, data)
    }

    /// The h1 of the entries as they are listed, worked out apart from the code under test.
    var h1: String { Self.h1(of: entries.filter { !$0.isHidden }.map { ($0.name, $0.contents) }) }

    static func h1(of files: [(name: [UInt8], contents: [UInt8])]) -> String {
        let sorted = files.sorted { $0.name.lexicographicallyPrecedes($1.name) }
        let lines = sorted.map { Array("\(Digest(of: $0.contents).hex)  ".utf8) + $0.name + [0x0a] }
        return "h1:" + base64(Digest(of: lines.joined()).bytes)
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
        let padded = bits + [UInt8](repeating: 0, count: (6 - bits.count % 6) % 6)
        let digits = stride(from: 0, to: padded.count, by: 6).map { start in
            alphabet[padded[start..<(start + 6)].reduce(0) { $0 << 1 | Int($1) }]
        }
        return String(digits) + String(repeating: "=", count: (4 - digits.count % 4) % 4)
    }
}

/// The simplest deflate writer: one block of fixed codes, with runs of one byte as matches.
enum Deflate {
    static func packed(_ bytes: [UInt8]) -> [UInt8] {
        var writer = BitWriter()
        writer.append(bits: 0b011, count: 3)
        var index = 0
        while index < bytes.count {
            var run = 1
            while index + run < bytes.count, run < 259, bytes[index + run] == bytes[index] { run += 1 }
            writer.append(symbol: Int(bytes[index]))
            index += 1
            if run == 259 {
                writer.append(symbol: 285)
                writer.append(code: 0, count: 5)
                index += 258
            }
        }
        writer.append(symbol: 256)
        return writer.finish()
    }

    /// One block of stored bytes, or several.
    static func unpackedBlocks(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var rest = bytes[...]
        repeat {
            let block = rest.prefix(0xffff)
            rest = rest.dropFirst(block.count)
            output +=
                [rest.isEmpty ? 1 : 0] + UInt16(block.count).bytes + (~UInt16(block.count)).bytes + block
        } while !rest.isEmpty
        return output
    }

    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { crc, byte in table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8
        }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1 }
    }

    private struct BitWriter {
        private var output: [UInt8] = []
        private var hold: UInt32 = 0
        private var held = 0

        mutating func append(bits: UInt32, count: Int) {
            hold |= bits << UInt32(held)
            held += count
            while held >= 8 {
                output.append(UInt8(truncatingIfNeeded: hold))
                hold >>= 8
                held -= 8
            }
        }

        /// Huffman codes go out with their most significant bit first.
        mutating func append(code: UInt32, count: Int) {
            let reversed = (0..<count).reduce(UInt32(0)) {
                $0 | (code >> UInt32($1) & 1) << UInt32(count - 1 - $1)
            }
            append(bits: reversed, count: count)
        }

        mutating func append(symbol: Int) {
            switch symbol {
            case 0..<144: append(code: UInt32(0x30 + symbol), count: 8)
            case 144..<256: append(code: UInt32(0x190 + symbol - 144), count: 9)
            case 256..<280: append(code: UInt32(symbol - 256), count: 7)
            default: append(code: UInt32(0xc0 + symbol - 280), count: 8)
            }
        }

        mutating func finish() -> [UInt8] {
            append(bits: 0, count: (8 - held) % 8)
            return output
        }
    }
}

extension FixedWidthInteger {
    /// Least significant byte first.
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}

/// A random source that a seed repeats (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
