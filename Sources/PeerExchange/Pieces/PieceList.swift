package import Content
package import Gossip

/// The digests of a body's pieces, as far as they are known, signed by the node that took the body in
/// (docs/wire-formats.md, "Piece lists"). Bytes that do not fit convict who sent them; a body that does not fit
/// although all its pieces did convicts the signer.
package struct PieceList: Hashable, Sendable {
    package static let digestByteCount = 32
    /// Digests in one part.
    package static let partLimit = 32
    /// Pieces of the largest body that is moved so: 1 TiB.
    package static let pieceLimit = 1 << 20

    package let transfer: TransferKey
    /// Bytes of the body.
    package let size: Int64
    package let signer: NodeID
    package private(set) var digests: [[UInt8]] = []
    /// Hash over all digests so far, one after the other.
    private var chain = [UInt8](repeating: 0, count: 32)

    package init(transfer: TransferKey, size: Int64, signer: NodeID) {
        (self.transfer, self.size, self.signer) = (transfer, size, signer)
    }

    package static func pieceCount(of size: Int64) -> Int {
        Int(size / PeerExchange.pieceLength) + (size % PeerExchange.pieceLength > 0 ? 1 : 0)
    }

    package var pieceCount: Int { Self.pieceCount(of: size) }

    package static func range(of piece: Int, size: Int64) -> Range<Int64> {
        let start = Int64(piece) * PeerExchange.pieceLength
        return start..<min(size, start + PeerExchange.pieceLength)
    }

    package mutating func append(_ digest: [UInt8]) {
        digests.append(digest)
        chain = Blake2b.hash(chain + digest, count: 32)
    }

    /// What the signature of the list so far is over.
    private func statement(in cluster: ClusterID) -> [UInt8] {
        var writer = WireWriter(capacity: 160)
        writer.write(Array("edgenode piece list v1".utf8))
        writer.write(cluster.bytes)
        transfer.write(to: &writer)
        writer.write(size)
        writer.write(UInt32(digests.count))
        writer.write(chain)
        return writer.bytes
    }

    /// The digests from number `first` on, with a signature over all up to the last of them.
    /// - Precondition: `key` is the signer's.
    package func part(from first: Int, limit: Int = partLimit, in cluster: ClusterID, key: NodeKey) -> Part {
        var upTo = PieceList(transfer: transfer, size: size, signer: signer)
        for digest in digests.prefix(first + limit) { upTo.append(digest) }
        return Part(
            transfer: transfer, size: size, signer: signer, first: first,
            digests: Array(upTo.digests.dropFirst(first)), signature: key.sign(upTo.statement(in: cluster)))
    }

    /// Takes the next part over.
    /// - Returns: false for a part that is not the next one, or not signed so.
    package mutating func extend(with part: Part, in cluster: ClusterID) -> Bool {
        guard part.transfer == transfer, part.size == size, part.signer == signer,
            part.first == digests.count,
            part.digests.count + digests.count <= pieceCount
        else { return false }
        var next = self
        for digest in part.digests { next.append(digest) }
        guard signer.isValid(part.signature, of: next.statement(in: cluster)) else { return false }
        self = next
        return true
    }

    /// A run of digests on its way.
    package struct Part: Hashable, Sendable {
        package let transfer: TransferKey
        package let size: Int64
        package let signer: NodeID
        package let first: Int
        package let digests: [[UInt8]]
        package let signature: [UInt8]

        init(
            transfer: TransferKey, size: Int64, signer: NodeID, first: Int, digests: [[UInt8]],
            signature: [UInt8]
        ) {
            (self.transfer, self.size, self.signer) = (transfer, size, signer)
            (self.first, self.digests, self.signature) = (first, digests, signature)
        }

        package init(from reader: inout WireReader) throws(WireError) {
            transfer = try TransferKey(from: &reader)
            size = try reader.read()
            guard size >= 0, PieceList.pieceCount(of: size) <= PieceList.pieceLimit else {
                throw .malformed("a body of \(size) bytes")
            }
            signer = try NodeID(from: &reader)
            first = Int(try reader.read(UInt32.self))
            var digests: [[UInt8]] = []
            for _ in 0..<(try reader.readCount(limit: PieceList.partLimit)) {
                digests.append(Array(try reader.readBytes(PieceList.digestByteCount)))
            }
            self.digests = digests
            signature = Array(try reader.readBytes(NodeKey.signatureByteCount))
        }

        package func write(to writer: inout WireWriter) {
            transfer.write(to: &writer)
            writer.write(size)
            writer.write(signer.bytes)
            writer.write(UInt32(clamping: first))
            writer.writeNumber(digests.count)
            for digest in digests { writer.write(digest) }
            writer.write(signature)
        }
    }
}
