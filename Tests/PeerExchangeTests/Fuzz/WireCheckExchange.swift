import Content
import Gossip
import NIOCore
import PeerExchange

extension WireCheck {
    /// Requests, replies and what stands in them, handshakes and frames.
    func checkExchange(_ bytes: [UInt8]) throws(WireViolation) {
        try checkCalls(bytes)
        try checkAnswers(bytes)
        try checkStrangers(bytes)
    }

    private func checkCalls(_ bytes: [UInt8]) throws(WireViolation) {
        if let request = try? PeerRequest.decode(bytes) {
            try WireViolation.check(
                (try? PeerRequest.decode(request.encoded)) == request, "\(request) changes")
        }
        if let reply = try? PeerReply(parsing: bytes) {
            // Long reasons are cut, so only what is written a second time must stay.
            let again = try? PeerReply(parsing: reply.encoded)
            try WireViolation.check(again != nil, "\(reply) cannot be read again")
        }
        if let statement = try? Statement(parsing: bytes) {
            try WireViolation.check(statement.size >= 0, "a statement of \(statement.size) bytes")
            _ = statement.isSigned
        }
        _ = try? Welcome(parsing: bytes)
    }

    private func checkAnswers(_ bytes: [UInt8]) throws(WireViolation) {
        if let found = try? Found(parsing: bytes) {
            // As a transfer counts it, and as a plan takes it.
            let sum = found.present.reduce(Int64(0)) { $0 + $1.upperBound - $1.lowerBound }
            try WireViolation.check(sum >= 0, "\(sum) bytes present")
            let size = found.facts.size ?? 0
            if PieceList.pieceCount(of: size) <= 4096 {
                var plan = FetchPlan(size: size)
                plan.add(WireBench.shared.other.id)
                plan.note(found.isComplete ? nil : found.present, at: WireBench.shared.other.id)
                plan.list(Int.max)
                var rng = GossipRandom(seed: [UInt8](repeating: 3, count: 32))
                var asked = 0
                while asked < 64, let next = plan.next(reader: 0, now: GossipTime(), rng: &rng) {
                    try WireViolation.check(next.piece < plan.pieceCount, "piece \(next.piece) is asked for")
                    asked += 1
                }
            }
            if let part = found.pieces { try checkPart(part) }
        }
        var reader = WireReader(bytes)
        if let part = try? PieceList.Part(from: &reader) { try checkPart(part) }
    }

    private func checkPart(_ part: PieceList.Part) throws(WireViolation) {
        var list = PieceList(transfer: part.transfer, size: part.size, signer: part.signer)
        let before = list
        if !list.extend(with: part, in: WireBench.shared.cluster) {
            try WireViolation.check(list == before, "a list that took a part it refused")
        }
        try WireViolation.check(list.digests.count <= list.pieceCount, "more digests than pieces")
    }

    /// Nobody without the cluster's secret gets an answer.
    private func checkStrangers(_ bytes: [UInt8]) throws(WireViolation) {
        var responder = HandshakeDriver.responder(WireBench.shared.credentials)
        switch responder.receive(bytes) {
        case .needsMore, .failed: break
        default: throw WireViolation("a stranger is answered")
        }
        var asker = HandshakeDriver.initiator(WireBench.shared.credentials)
        _ = asker.askForName()
        switch asker.receive(bytes) {
        case .needsMore, .failed: break
        default: throw WireViolation("a stranger is believed")
        }
        var codec = FrameCodec(
            sending: SealingKey([UInt8](repeating: 1, count: 32)),
            receiving: SealingKey([UInt8](repeating: 2, count: 32)))
        var buffer = ByteBuffer(bytes: bytes)
        if let fragment = try? codec.read(&buffer, allocator: ByteBufferAllocator()) {
            throw WireViolation("a forged frame is opened: \(fragment)")
        }
    }
}
