/// Why bytes are no tar archive that can be trusted to mean one thing.
package struct TarError: Error, Equatable, CustomStringConvertible {
    package let offset: Int64
    package let reason: String

    package var description: String { "the tar archive, at byte \(offset): \(reason)" }
}

/// Where each file stands in a tar archive: of the POSIX form (pax and ustar) or GNU tar's (POSIX.1-2017, "pax
/// Interchange Format"). Only headers are read; nothing is unpacked.
///
/// Names that lead out of the archive spoil it as a whole. Links are kept as what they say and followed by `file` only
/// to files of the same archive.
package struct TarIndex: Sendable {
    static let maximumEntries = 1 << 18
    private static let maximumName = 4096
    private static let maximumExtension: Int64 = 1 << 20
    private static let block: Int64 = 512

    package enum Entry: Sendable, Equatable {
        /// Where the file's bytes stand.
        case file(Range<Int64>)
        /// Another path of the archive.
        case link(String)
    }

    package private(set) var entries: [String: Entry] = [:]

    package typealias Read = (_ offset: Int64, _ count: Int) throws -> [UInt8]

    /// Whether a file that begins with these 512 bytes is a tar archive.
    package static func isTar(_ bytes: [UInt8]) -> Bool {
        bytes.count >= Int(block) && Header.checksumIsRight(Array(bytes.prefix(Int(block))))
    }

    /// - Parameters:
    ///   - byteCount: the archive's length.
    ///   - read: gives exactly `count` bytes at an offset, all within the archive.
    /// - Throws: `TarError`, or what `read` throws.
    package init(byteCount: Int64, read: Read) throws {
        var offset: Int64 = 0
        var count = 0
        var extended = Extended()
        while byteCount - offset >= Self.block {
            let bytes = try read(offset, Int(Self.block))
            // Two empty blocks end an archive; one already says that nothing follows.
            if bytes.allSatisfy({ $0 == 0 }) { return }
            func malformed(_ reason: String) -> TarError { TarError(offset: offset, reason: reason) }
            guard Header.checksumIsRight(bytes) else { throw malformed("a header's checksum is wrong") }
            guard let header = Header(bytes) else { throw malformed("a header's number is none") }
            count += 1
            guard count <= Self.maximumEntries else { throw malformed("it has too many entries") }
            let start = offset + Self.block
            let size = extended.size ?? header.size
            guard size >= 0, size <= byteCount - start else {
                throw malformed("an entry of \(size) bytes runs out of the archive: is it whole?")
            }
            func contents() throws -> [UInt8] {
                guard size <= Self.maximumExtension else { throw malformed("an extended header is too long") }
                return try read(start, Int(size))
            }
            switch header.kind {
            case "x":
                guard let found = Extended(records: try contents(), over: extended) else {
                    throw malformed("an extended header is damaged")
                }
                extended = found
            case "g": break
            case "L": extended.path = Self.text(try contents())
            case "K": extended.link = Self.text(try contents())
            default:
                try take(header, extended, start: start, size: size)
                extended = Extended()
            }
            offset = start + (size + Self.block - 1) / Self.block * Self.block
        }
        guard offset >= byteCount else { throw TarError(offset: offset, reason: "it ends within a header") }
    }

    private mutating func take(_ header: Header, _ extended: Extended, start: Int64, size: Int64) throws {
        func malformed(_ reason: String) -> TarError { TarError(offset: start - Self.block, reason: reason) }
        let name = extended.path ?? header.name
        switch header.kind {
        case "0", "\0", "7":
            guard let path = Self.path(name) else { throw malformed("it has a file with a forbidden name") }
            entries[path] = .file(start..<start + size)
        case "1", "2":
            guard let path = Self.path(name) else { throw malformed("it has a link with a forbidden name") }
            let target = extended.link ?? header.link
            // A symbolic link counts from its own folder, a hard link from the top.
            let folder =
                header.kind == "2" ? path.split(separator: "/").dropLast().joined(separator: "/") + "/" : ""
            // One that leads out of the archive leads nowhere.
            if target.hasPrefix("/") { return }
            if let found = Self.resolved(folder + target) { entries[path] = .link(found) }
        default: return
        }
    }

    /// Where the bytes of `path` stand, links of the archive followed.
    package func file(_ path: String) -> Range<Int64>? {
        var path = path
        for _ in 0..<8 {
            switch entries[path] {
            case .file(let range): return range
            case .link(let target): path = target
            case nil: return nil
            }
        }
        return nil
    }

    /// The name without a leading `./`; nil when it leads out of the archive, or is none.
    private static func path(_ name: String) -> String? {
        guard !name.isEmpty, name.utf8.count <= maximumName, !name.hasPrefix("/"), !name.utf8.contains(0)
        else {
            return nil
        }
        let parts = name.split(separator: "/").filter { $0 != "." }
        guard !parts.isEmpty, !parts.contains("..") else { return nil }
        return parts.joined(separator: "/")
    }

    /// The path with its `..` worked out; nil when it leads out.
    private static func resolved(_ path: String) -> String? {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." {
                guard parts.popLast() != nil else { return nil }
            } else {
                parts.append(part)
            }
        }
        return parts.isEmpty ? nil : parts.joined(separator: "/")
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// One header block.
private struct Header {
    let name: String
    let link: String
    let size: Int64
    let kind: Character

    /// Nil when its size is no number.
    init?(_ bytes: [UInt8]) {
        func text(_ range: Range<Int>) -> String {
            String(decoding: bytes[range].prefix { $0 != 0 }, as: UTF8.self)
        }
        guard let size = Self.number(bytes[124..<136]) else { return nil }
        self.size = size
        kind = Character(Unicode.Scalar(bytes[156]))
        link = text(157..<257)
        let isPOSIX = bytes[257..<263].elementsEqual("ustar\0".utf8)
        let prefix = isPOSIX ? text(345..<500) : ""
        name = prefix.isEmpty ? text(0..<100) : "\(prefix)/\(text(0..<100))"
    }

    static func checksumIsRight(_ bytes: [UInt8]) -> Bool {
        guard let stated = number(bytes[148..<156]) else { return false }
        var sum: Int64 = 0
        for (index, byte) in bytes.enumerated() { sum += (148..<156).contains(index) ? 0x20 : Int64(byte) }
        return sum == stated
    }

    /// An octal number with spaces and zeros around it, or GNU's binary form for large ones.
    static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        if let first = field.first, first & 0x80 != 0 {
            guard first == 0x80 else { return nil }
            var value: Int64 = 0
            for byte in field.dropFirst() {
                guard value < 1 << 54 else { return nil }
                value = value << 8 | Int64(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
        let rest = field.drop { $0 == 0x20 }.dropFirst(digits.count)
        guard rest.allSatisfy({ $0 == 0x20 || $0 == 0 }) else { return nil }
        return digits.isEmpty ? 0 : Int64(String(decoding: digits, as: UTF8.self), radix: 8)
    }
}

/// What extended headers say of the entry that follows them.
private struct Extended {
    var path: String?
    var link: String?
    var size: Int64?

    init() {}

    /// Reads pax records, `<length> <key>=<value>\n`; nil when they are damaged.
    init?(records: [UInt8], over before: Extended) {
        self = before
        var rest = records[...]
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: 0x20),
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
                length > space - rest.startIndex + 1, length <= rest.count
            else { return nil }
            let record = rest[(space + 1)..<(rest.startIndex + length)]
            rest = rest[(rest.startIndex + length)...]
            guard record.last == 0x0a, let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                return nil
            }
            let value = String(decoding: record[(equals + 1)...].dropLast(), as: UTF8.self)
            switch String(decoding: record[..<equals], as: UTF8.self) {
            case "path": path = value
            case "linkpath": link = value
            case "size":
                guard let number = Int64(value), number >= 0 else { return nil }
                size = number
            case let key where key.hasPrefix("GNU.sparse."):
                // The bytes that stand there are not the file's.
                return nil
            default: continue
            }
        }
    }
}
