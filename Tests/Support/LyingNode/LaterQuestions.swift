import Content
import Gossip
import PeerExchange

/// What a later version may ask of a member over a session, and what this version has to make of it.
struct LaterQuestions {
    let credentials: ClusterCredentials
    let card: MemberCard
    let peer: MemberView

    /// - Parameter digest: a blob that the peer holds.
    /// - Returns: what went wrong, one line each.
    func ask(for digest: Digest) throws -> [String] {
        let session = try RawSession(
            credentials, card: card, with: peer.node, at: peer.endpoint, more: LaterMember.more)
        var troubles: [String] = []
        var number: UInt32 = 10
        func expect(
            _ what: String, _ request: [UInt8], flags: UInt8 = 0, _ fits: ([UInt8]) -> Bool
        ) throws {
            number += 1
            let reply = try session.call(number, request, flags: flags)
            if !fits(reply) { troubles.append("\(what): \(reply.prefix(60))") }
        }
        let more = LaterMember.more
        try expect("a call that it does not know", [99] + more) { $0 == PeerReply.unsupported.encoded }
        try expect("an exchange that it does not know", [1, 77] + more) { $0 == [0] }
        try expect("more behind a ping, and unknown flags", [5] + more, flags: 0xf8) { $0 == [0] }
        // A reply to nothing, and a message that is begun and never ended.
        try session.send(.init(call: 9000, flags: 2 | 1, bytes: more))
        try session.send(.init(call: 9001, flags: 0x80, bytes: more))
        try expect("a kind of content that it does not know", [2, 9] + more) { $0.first == 5 }
        let ask = ContentAsk(.blob(digest))
        var found: Found?
        var find = PeerRequest.find(ask, knownBytes: 0, knownPieces: 0, patience: 0, wantsBytes: false)
            .encoded
        find[find.count - 1] |= 0xf0
        try expect("more behind find", find + more) { reply in
            found = try? Found(parsing: Array(reply.dropFirst()))
            return reply.first == 0 && found?.isComplete == true
        }
        guard let found, let size = found.facts.size, size <= PeerExchange.pieceLength else {
            return troubles + ["it has no blob of a piece"]
        }
        try expect(
            "more behind bytes", PeerRequest.bytes(ask, found.transfer, 0..<size).encoded + more
        ) { Digest(.sha256, of: $0.dropFirst()) == digest }
        var meet = WireWriter()
        meet.write([1, 1])
        card.write(to: &meet)
        meet.writeBlock([UInt8]())
        meet.writeNumber(0)
        try expect("more behind a meeting", meet.bytes + more) { $0.starts(with: [0, 2]) && $0.count > 200 }
        return troubles
    }
}
