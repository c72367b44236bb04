import CLZ4
import Content

/// The encoded form of a recipe, version 1; docs/recipe-format.md has the layout.
extension Recipe {
    package static let version: UInt8 = 1
    static let magic: [UInt8] = Array("eRcp".utf8)
    /// The longest body that is ever unpacked, in bytes.
    static let maximumBodyLength: Int64 = 64 << 20
    /// The same of what comes from another node: some ten thousands of entries.
    static let travellingBodyLength: Int64 = 4 << 20
    static let checksumLength = 8

    /// - Precondition: all chunks are named in the same way.
    package func encoded() -> [UInt8] {
        var bytes = Self.magic
        bytes.append(Self.version)
        bytes.append(contentsOf: blob.key)
        bytes.append(varint: size)
        let body = encodedBody()
        bytes.append(varint: Int64(body.count))
        let packed = LZ4Block.pack(body)
        bytes.append(varint: Int64(packed?.count ?? 0))
        bytes.append(contentsOf: packed ?? body)
        bytes.append(contentsOf: Digest(.sha256, of: bytes).bytes.prefix(Self.checksumLength))
        return bytes
    }

    /// - Throws: `RecipeError` naming what is wrong; nothing larger than the announced and bounded body is
    ///   ever allocated.
    /// - Parameter expected: what a recipe of another node must be of; it is held to tighter bounds then.
    package init(decoding bytes: [UInt8], of expected: (blob: Digest, size: Int64)? = nil) throws(RecipeError)
    {
        guard bytes.starts(with: Self.magic) else { throw .notARecipe }
        guard bytes.count > Self.magic.count else { throw .truncated(at: bytes.count) }
        // The version stands before everything else: a later one may lay out even the checksum otherwise.
        guard bytes[Self.magic.count] == Self.version else {
            throw .newerVersion(found: bytes[Self.magic.count], supported: Self.version)
        }
        guard bytes.count >= Self.magic.count + 1 + Self.checksumLength else {
            throw .truncated(at: bytes.count)
        }
        let end = bytes.count - Self.checksumLength
        guard Digest(.sha256, of: bytes[..<end]).bytes.starts(with: bytes[end...]) else { throw .checksum }
        var reader = BoundedReader(bytes[(Self.magic.count + 1)..<end])
        let blob = try Self.digest(from: &reader)
        let size = try reader.varint(in: 0...Recipe.maximumSize, "the blob's size")
        if let expected, blob != expected.blob || size != expected.size {
            throw .malformed("it is another blob's")
        }
        let longest = expected == nil ? Self.maximumBodyLength : Self.travellingBodyLength
        let bodyLength = Int(try reader.varint(in: 0...longest, "the body's length"))
        let packedLength = Int(try reader.varint(in: 0...Self.maximumBodyLength, "the packed length"))
        let body: [UInt8]
        if packedLength == 0 {
            body = Array(try reader.take(bodyLength))
        } else {
            guard let unpacked = LZ4Block.unpack(try reader.take(packedLength), length: bodyLength) else {
                throw .malformed("its body does not unpack to \(bodyLength) bytes")
            }
            body = unpacked
        }
        guard reader.remaining == 0 else { throw .malformed("\(reader.remaining) bytes follow its body") }
        var bodyReader = BoundedReader(body[...])
        let chunks = try ChunkTableCodec.decode(from: &bodyReader, allowsNumbers: expected == nil)
        let entries = try ZipHeadersCodec.decode(from: &bodyReader)
        let segments = try Self.segments(from: &bodyReader)
        guard bodyReader.remaining == 0 else {
            throw .malformed("\(bodyReader.remaining) bytes follow its segments")
        }
        try self.init(blob: blob, size: size, chunks: chunks, entries: entries, segments: segments)
    }

    private static func digest(from reader: inout BoundedReader) throws(RecipeError) -> Digest {
        let code = try reader.byte()
        guard let algorithm = DigestAlgorithm(code: code) else {
            throw .malformed("digest algorithm \(code) is not known")
        }
        let hash = Array(try reader.take(algorithm.byteCount))
        do { return try Digest(algorithm, bytes: hash) } catch { throw .malformed("\(error)") }
    }

    private func encodedBody() -> [UInt8] {
        var body: [UInt8] = []
        ChunkTableCodec.encode(chunks, into: &body)
        ZipHeadersCodec.encode(entries, into: &body)
        body.append(varint: Int64(segments.count))
        for segment in segments {
            switch segment {
            case .stored(let bytes):
                body.append(SegmentKind.stored.rawValue)
                body.append(varint: Int64(bytes.count))
                body.append(contentsOf: bytes)
            case .chunks(let count):
                body.append(SegmentKind.chunks.rawValue)
                body.append(varint: Int64(count))
            case .zipEntries(let count):
                body.append(SegmentKind.zipEntries.rawValue)
                body.append(varint: Int64(count))
            case .zipDirectory: body.append(SegmentKind.zipDirectory.rawValue)
            }
        }
        return body
    }

    private static func segments(from reader: inout BoundedReader) throws(RecipeError) -> [Segment] {
        let count = try reader.count(bytesEach: 1, of: "segments")
        var segments: [Segment] = []
        segments.reserveCapacity(count)
        for _ in 0..<count {
            let code = try reader.byte()
            guard let kind = SegmentKind(rawValue: code) else { throw .unknownSegment(kind: code) }
            switch kind {
            case .stored:
                let length = try reader.count(bytesEach: 1, of: "stored bytes")
                segments.append(.stored(Array(try reader.take(length))))
            case .chunks:
                segments.append(
                    .chunks(count: Int(try reader.varint(in: 1...Int64(Int32.max), "a chunk run"))))
            case .zipEntries:
                let count = try reader.varint(in: 1...0xffff, "a run of zip entries")
                segments.append(.zipEntries(count: Int(count)))
            case .zipDirectory: segments.append(.zipDirectory)
            }
        }
        return segments
    }
}

/// The kinds of segment that version 1 knows; later kinds take further codes.
enum SegmentKind: UInt8 {
    case stored = 1
    case chunks = 2
    case zipEntries = 3
    case zipDirectory = 4
}

/// LZ4's block format with the length kept beside it.
enum LZ4Block {
    /// The packed bytes, or nil when they would save less than a tenth.
    static func pack(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count > 16, bytes.count <= Int(Recipe.maximumBodyLength) else { return nil }
        let room = bytes.count - bytes.count / 10
        var failed = false
        let packed = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            let written = bytes.withUnsafeBytes { source in
                LZ4_compress_HC(
                    source.bindMemory(to: CChar.self).baseAddress,
                    UnsafeMutableRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self),
                    CInt(source.count), CInt(room), LZ4HC_CLEVEL_MAX)
            }
            failed = written <= 0
            count = max(0, Int(written))
        }
        return failed ? nil : packed
    }

    /// The unpacked bytes, or nil unless they are well formed and exactly `length` bytes.
    static func unpack(_ bytes: ArraySlice<UInt8>, length: Int) -> [UInt8]? {
        // LZ4 makes at most 255 bytes of one: a larger claim is a lie that need not be allocated for.
        guard length / 256 <= bytes.count else { return nil }
        var written: CInt = -1
        let unpacked = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            written = bytes.withUnsafeBytes { source in
                LZ4_decompress_safe(
                    source.bindMemory(to: CChar.self).baseAddress,
                    UnsafeMutableRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self),
                    CInt(source.count), CInt(length))
            }
            count = max(0, Int(written))
        }
        return Int(written) == length ? unpacked : nil
    }
}
