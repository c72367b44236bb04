import ChunkStore
import Content
import Gossip
import PeerExchange

import struct Foundation.Data
import struct Foundation.Date
import struct Foundation.URL

/// A blob out of a folder, with its piece list.
struct HeldBody: Sendable {
    let digest: Digest
    let bytes: [UInt8]
    private let pieces: [[UInt8]]

    /// - Parameters:
    ///   - digest: what it is asked for by.
    ///   - bytes: what is given for it.
    init(_ digest: Digest, _ bytes: [UInt8]) {
        (self.digest, self.bytes) = (digest, bytes)
        let size = Int64(bytes.count)
        pieces = (0..<PieceList.pieceCount(of: size)).map { piece in
            let range = PieceList.range(of: piece, size: size)
            return PieceShelf.digest(Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
        }
    }

    /// The file that bears the digest for a name.
    init(_ digest: Digest, in folder: String) throws {
        let name = digest.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        self.init(digest, Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))))
    }

    var size: Int64 { Int64(bytes.count) }

    /// What an honest holder says of it.
    func found(after known: Int, _ credentials: ClusterCredentials) -> Found {
        var list = PieceList(transfer: .digest(digest), size: size, signer: credentials.id)
        for piece in pieces { list.append(piece) }
        let now = Date()
        return Found(
            facts: ContentFacts(
                digest: digest, size: size, access: .public, verified: .verified, origin: "upstream",
                learned: now, checked: now),
            transfer: .digest(digest), isComplete: true, present: [0..<size],
            pieces: known < pieces.count
                ? list.part(from: known, in: credentials.cluster, key: credentials.key) : nil)
    }

    /// The bytes of a range, as far as they are there.
    func read(_ range: Range<Int64>) -> [UInt8] {
        let range = range.clamped(to: 0..<size)
        return Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
    }
}
