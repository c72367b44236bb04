import Content
import Gossip
import PeerExchange

/// What a member does wrong with one blob that it says it holds.
enum Lie: String, Sendable, CaseIterable {
    // Lies.
    case wrongPiece, shortPiece, emptyPiece
    /// A list that its signature is not over.
    case brokenSignature
    /// Other bytes, under the digest that was asked for, with a list that fits them.
    case otherBytes
    /// The same with more of them.
    case otherSize
    /// It says that it has another blob, and gives that.
    case otherDigest
    case garbage
    // Weakness, or malice that cannot be told from it.
    case silentAtFind, silentAtPieces, halfPiece, rubbishFrame, hangsUp, busyForEver

    /// The body that it speaks of, for the one that is asked for.
    func body(for honest: HeldBody) -> HeldBody {
        var bytes = honest.bytes
        switch self {
        case .otherBytes:
            for place in stride(from: 0, to: bytes.count, by: 1000) { bytes[place] ^= 1 }
            return HeldBody(honest.digest, bytes)
        case .otherSize: return HeldBody(honest.digest, bytes + [7, 7, 7])
        case .otherDigest:
            bytes[0] ^= 1
            return HeldBody(Digest(.sha256, of: bytes), bytes)
        default: return honest
        }
    }

    func answer(_ request: PeerRequest, _ body: HeldBody, _ credentials: ClusterCredentials) -> Answer {
        switch request {
        case .find(_, _, let known, _, _): found(body.found(after: known, credentials))
        case .bytes(_, _, let range): piece(body.read(range))
        default: .reply(PeerReply.unsupported.encoded)
        }
    }

    private func found(_ found: Found) -> Answer {
        switch self {
        case .silentAtFind: return .silence
        case .garbage: return .reply(PeerReply.ok([1, 2, 3]).encoded)
        case .brokenSignature:
            // The signature stands at the end.
            var bytes = found.encoded
            bytes[bytes.count - 1] ^= 1
            return .reply(PeerReply.ok(bytes).encoded)
        default: return .reply(PeerReply.ok(found.encoded).encoded)
        }
    }

    private func piece(_ bytes: [UInt8]) -> Answer {
        var bytes = bytes
        switch self {
        case .wrongPiece: bytes[bytes.count / 2] ^= 1
        case .shortPiece: bytes.removeLast()
        case .emptyPiece: bytes = []
        case .silentAtPieces: return .silence
        case .halfPiece: return .half(PeerReply.ok(bytes).encoded)
        case .rubbishFrame: return .rubbish
        case .hangsUp: return .hangUp
        case .busyForEver: return .reply(PeerReply.busy(10).encoded)
        default: break
        }
        return .reply(PeerReply.ok(bytes).encoded)
    }
}
