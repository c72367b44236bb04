import Content
import Foundation
import Gossip
import Logging
import PeerExchange

/// A member of a later version: it speaks what docs/wire-formats.md lets a later version say, and is honest.
struct LaterMember {
    let member: SpeakingMember

    /// What a later version may put behind anything whose end this version knows.
    static let more: [UInt8] = [200, 201, 202, 203, 0, 255, 1, 9]

    /// - Parameters:
    ///   - protocols: the versions that its record names.
    ///   - held: what it holds.
    init(
        _ joined: JoinedFolder, at endpoint: Endpoint, protocols: ClosedRange<UInt8>, held: HeldBody,
        logger: Logger
    ) async throws {
        let credentials = joined.credentials
        let answer: SpeakingHandler.Answering = { bytes, _ in
            guard let request = try? PeerRequest.decode(bytes) else {
                return .reply(PeerReply.unsupported.encoded)
            }
            switch request {
            case .ping: return .reply(PeerReply.ok(Self.more).encoded)
            case .find(let ask, _, let known, _, _):
                guard ask.subject == .blob(held.digest) else { return .reply(PeerReply.notHeld.encoded) }
                return .reply(PeerReply.ok(Self.grown(held.found(after: known, credentials))).encoded)
            case .bytes(_, _, let range): return .reply(PeerReply.ok(held.read(range)).encoded)
            // A reply that this version does not have.
            default: return .reply([77] + Self.more)
            }
        }
        member = try await SpeakingMember(
            joined, at: endpoint, shape: { $0.becomeLater(protocols) }, logger: logger, answer: answer)
        member.gossip.hold(add: [InventoryID(blob: held.digest, secret: credentials.secret)])
    }

    /// With flags that this version does not know, and more behind the end.
    private static func grown(_ found: Found) -> [UInt8] {
        var bytes = found.encoded
        bytes[0] |= 0xe0
        return bytes + more
    }
}

extension GossipConfiguration {
    /// Says what a later version may say: in its record, and with every datagram.
    fileprivate mutating func becomeLater(_ protocols: ClosedRange<UInt8>) {
        self.protocols = protocols
        software = "edgenode later"
        recordExtra = LaterMember.more
        var writer = WireWriter()
        // Types that this version does not have, in each of its ranges and beyond.
        for type: UInt8 in [0, 20, 31, 50, 63, 80, 95, 96, 200, 255] {
            writer.write(type)
            writer.writeBlock(LaterMember.more)
        }
        // Types that it has, with more behind the end, or with a body that it cannot read.
        for (type, known): (UInt8, Int) in [(1, 4), (2, 4), (4, 4), (33, 28), (66, 8), (6, 0), (65, 0)] {
            writer.write(type)
            writer.writeBlock([UInt8](repeating: 0, count: known) + LaterMember.more)
        }
        trailer = writer.bytes
    }
}
