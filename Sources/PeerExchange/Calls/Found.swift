internal import ChunkStore
package import Content

internal import struct FoundationEssentials.Date

/// What a peer says of content that it has (docs/wire-formats.md, "Calls", find).
package struct Found: Hashable, Sendable {
    /// Runs of bytes in one answer; of more the first ones.
    package static let rangeLimit = 256
    /// Bytes that travel with the answer at most.
    package static let inlineLimit = 64 << 10

    package var facts: ContentFacts
    package var transfer: TransferKey
    package var isComplete: Bool
    /// More of it comes, and not from peers: the holder fetches it from upstream.
    package var isFed: Bool
    package var present: [Range<Int64>]
    package var pieces: PieceList.Part?
    package var bytes: [UInt8]?

    package init(
        facts: ContentFacts, transfer: TransferKey, isComplete: Bool, isFed: Bool = false,
        present: [Range<Int64>],
        pieces: PieceList.Part? = nil, bytes: [UInt8]? = nil
    ) {
        (self.facts, self.transfer, self.isComplete) = (facts, transfer, isComplete)
        (self.isFed, self.present, self.pieces, self.bytes) = (isFed, present, pieces, bytes)
    }

    package var encoded: [UInt8] {
        var writer = WireWriter(capacity: 256)
        facts.write(to: &writer)
        transfer.write(to: &writer)
        writer.write(
            UInt8((isComplete ? 1 : 0) | (pieces == nil ? 0 : 2) | (bytes == nil ? 0 : 4) | (isFed ? 8 : 0)))
        let runs = present.prefix(Self.rangeLimit)
        writer.writeNumber(runs.count)
        for run in runs {
            writer.write(run.lowerBound)
            writer.write(run.upperBound)
        }
        pieces?.write(to: &writer)
        if let bytes { writer.writeBlock(bytes) }
        return writer.bytes
    }

    package init(parsing encoded: [UInt8]) throws(WireError) {
        var reader = WireReader(encoded)
        facts = try ContentFacts(from: &reader)
        transfer = try TransferKey(from: &reader)
        let flags: UInt8 = try reader.read()
        isComplete = flags & 1 != 0
        isFed = flags & 8 != 0
        var present: [Range<Int64>] = []
        var last: Int64 = -1
        for _ in 0..<(try reader.readCount(limit: Self.rangeLimit)) {
            let (start, end): (Int64, Int64) = (try reader.read(), try reader.read())
            guard start > last, end > start, end <= PeerExchange.sizeLimit else {
                throw .malformed("runs of bytes out of order")
            }
            present.append(start..<end)
            last = end
        }
        self.present = present
        pieces = flags & 2 != 0 ? try PieceList.Part(from: &reader) : nil
        bytes = flags & 4 != 0 ? Array(try reader.readBlock(limit: Self.inlineLimit)) : nil
    }
}

extension ContentFacts {
    init(from reader: inout WireReader) throws(WireError) {
        let flags: UInt8 = try reader.read()
        let digest = flags & 1 != 0 ? try Digest(from: &reader) : nil
        var size: Int64?
        if flags & 2 != 0 {
            let value: Int64 = try reader.read()
            guard (0...PeerExchange.sizeLimit).contains(value) else {
                throw .malformed("a size of \(value) bytes")
            }
            size = value
        }
        let h1 = flags & 4 != 0 ? try reader.readText(limit: 128) : nil
        let contentType = flags & 8 != 0 ? try reader.readText(limit: 256) : nil
        guard let verified = Verification(rawValue: Int(try reader.read(UInt8.self))) else {
            throw .malformed("an unknown verification")
        }
        self.init(
            // What is not said to be public is private.
            digest: digest, size: size, h1: h1, access: flags & 16 != 0 ? .public : .private,
            verified: verified,
            contentType: contentType, origin: try reader.readText(limit: 512),
            learned: Date(milliseconds: try reader.read()), checked: Date(milliseconds: try reader.read()))
    }

    func write(to writer: inout WireWriter) {
        writer.write(
            UInt8(
                (digest == nil ? 0 : 1) | (size == nil ? 0 : 2) | (h1 == nil ? 0 : 4)
                    | (contentType == nil ? 0 : 8) | (access == .public ? 16 : 0)))
        digest?.write(to: &writer)
        if let size { writer.write(size) }
        if let h1 { writer.writeText(h1) }
        if let contentType { writer.writeText(String(contentType.prefix(200))) }
        writer.write(UInt8(verified.rawValue))
        writer.writeText(String(origin.prefix(200)))
        writer.write(learned.milliseconds)
        writer.write(checked.milliseconds)
    }
}

extension Date {
    /// Milliseconds since 1970.
    var milliseconds: Int64 { Int64(max(0, min(timeIntervalSince1970, 1e12)) * 1000) }
    init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
