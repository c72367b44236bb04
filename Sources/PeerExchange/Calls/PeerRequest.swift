package import ChunkStore
package import Content
internal import Gossip

/// One question to a peer over the sealed stream (docs/wire-formats.md, "Calls").
package enum PeerRequest: Hashable, Sendable {
    /// Gossip's own.
    case exchange([UInt8])
    /// What is held of it, once more than `knownBytes` are there or `patience` milliseconds are over; with the piece
    /// digests from number `knownPieces` on, and with its bytes if `wantsBytes` and they are few.
    case find(ContentAsk, knownBytes: Int64, knownPieces: Int, patience: UInt32, wantsBytes: Bool)
    /// Bytes of it, at most `PeerExchange.pieceLength`.
    case bytes(ContentAsk, TransferKey, Range<Int64>)
    /// What the peer's own upstream said last of a name that may change.
    case statement(ReferenceName)
    case ping
    /// The ways from the peer to the asker, tried by the peer.
    case trial
    /// How a held blob of that digest is put together.
    case recipe(ContentAsk, Digest)
    /// Chunks of it, at most `chunkLimit`.
    case chunks(ContentAsk, Digest, [ChunkID])

    package static let chunkLimit = 1024
    /// Bytes of the longest request.
    package static let byteLimit = 1 << 20
    static let nameByteLimit = ReferenceName.maximumByteCount

    package var encoded: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .exchange(let bytes):
            writer.write(UInt8(1))
            writer.write(bytes)
        case .find(let ask, let knownBytes, let knownPieces, let patience, let wantsBytes):
            writer.write(UInt8(2))
            ask.write(to: &writer)
            writer.write(knownBytes)
            writer.write(UInt32(clamping: knownPieces))
            writer.write(patience)
            writer.write(UInt8(wantsBytes ? 1 : 0))
        case .bytes(let ask, let transfer, let range):
            writer.write(UInt8(3))
            ask.write(to: &writer)
            transfer.write(to: &writer)
            writer.write(range.lowerBound)
            writer.write(UInt32(clamping: range.upperBound - range.lowerBound))
        case .statement(let name):
            writer.write(UInt8(4))
            writer.writeText(name.text)
        case .ping: writer.write(UInt8(5))
        case .trial: writer.write(UInt8(6))
        case .recipe(let ask, let digest):
            writer.write(UInt8(7))
            ask.write(to: &writer)
            digest.write(to: &writer)
        case .chunks(let ask, let digest, let ids):
            writer.write(UInt8(8))
            ask.write(to: &writer)
            digest.write(to: &writer)
            writer.writeNumber(ids.count)
            for id in ids { writer.write(id.bytes) }
        }
        return writer.bytes
    }

    /// - Returns: nil for a request of an unknown type, which a later version may have.
    package static func decode(_ bytes: [UInt8]) throws(WireError) -> PeerRequest? {
        var reader = WireReader(bytes)
        switch try reader.read(UInt8.self) {
        case 1: return .exchange(Array(reader.rest))
        case 2:
            let ask = try ContentAsk(from: &reader)
            let knownBytes: Int64 = try reader.read()
            guard knownBytes >= 0 else { throw .malformed("a negative number of bytes") }
            return .find(
                ask, knownBytes: knownBytes, knownPieces: Int(try reader.read(UInt32.self)),
                patience: try reader.read(), wantsBytes: try reader.read(UInt8.self) & 1 != 0)
        case 3:
            let (ask, transfer) = (try ContentAsk(from: &reader), try TransferKey(from: &reader))
            let start: Int64 = try reader.read()
            let count = Int64(try reader.read(UInt32.self))
            guard start >= 0, start < 1 << 50, (1...PeerExchange.pieceLength).contains(count) else {
                throw .malformed("a range of \(count) bytes from \(start)")
            }
            return .bytes(ask, transfer, start..<start + count)
        case 4: return .statement(try ReferenceName(from: &reader))
        case 5: return .ping
        case 6: return .trial
        case 7: return .recipe(try ContentAsk(from: &reader), try Digest(from: &reader))
        case 8:
            let (ask, digest) = (try ContentAsk(from: &reader), try Digest(from: &reader))
            var ids: [ChunkID] = []
            for _ in 0..<(try reader.readCount(limit: chunkLimit)) {
                guard let id = ChunkID(try reader.readBytes(ChunkID.byteCount)) else { throw .truncated }
                ids.append(id)
            }
            return .chunks(ask, digest, ids)
        default: return nil
        }
    }
}

extension ReferenceName {
    package init(from reader: inout WireReader) throws(WireError) {
        let text = try reader.readText(limit: PeerRequest.nameByteLimit)
        do { try self.init(text) } catch { throw .malformed("\(error)") }
    }
}

extension Digest {
    package init(from reader: inout WireReader) throws(WireError) {
        let algorithm: DigestAlgorithm
        switch try reader.read(UInt8.self) {
        case 1: algorithm = .sha256
        case 2: algorithm = .sha512
        default: throw .malformed("an unknown digest algorithm")
        }
        let bytes = Array(try reader.readBytes(algorithm.byteCount))
        do { try self.init(algorithm, bytes: bytes) } catch { throw .malformed("\(error)") }
    }

    package func write(to writer: inout WireWriter) {
        writer.write(UInt8(algorithm == .sha256 ? 1 : 2))
        writer.write(bytes)
    }
}

extension ContentAsk {
    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.read(UInt8.self) {
        case 1: self.init(.blob(try Digest(from: &reader)))
        case 2: self.init(.reference(try ReferenceName(from: &reader)))
        case 3:
            let digest = try Digest(from: &reader)
            self.init(.blob(digest), under: try ReferenceName(from: &reader))
        default: throw .malformed("an unknown kind of content")
        }
    }

    package func write(to writer: inout WireWriter) {
        switch (subject, under) {
        case (.blob(let digest), nil):
            writer.write(UInt8(1))
            digest.write(to: &writer)
        case (.reference(let name), _):
            writer.write(UInt8(2))
            writer.writeText(name.text)
        case (.blob(let digest), let name?):
            writer.write(UInt8(3))
            digest.write(to: &writer)
            writer.writeText(name.text)
        }
    }
}

extension TransferKey {
    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.read(UInt8.self) {
        case 1: self = .digest(try Digest(from: &reader))
        case 2: self = .flight(Array(try reader.readBytes(16)))
        default: throw .malformed("an unknown kind of transfer")
        }
    }

    package func write(to writer: inout WireWriter) {
        switch self {
        case .digest(let digest):
            writer.write(UInt8(1))
            digest.write(to: &writer)
        case .flight(let id):
            writer.write(UInt8(2))
            writer.write(id)
        }
    }
}
