internal import ChunkStore
internal import Content
internal import Gossip
internal import Synchronization

/// What is asked of the holders, each by a task of its own.
extension PeerTransfer {
    enum Event: Sendable {
        case found(NodeID, Found)
        /// It does not have it, or is not there.
        case gone(NodeID, String)
        /// - Parameters: which one, and the digest that it was asked by.
        case piece(Int, [UInt8], NodeID, Outcome)
        case tick
    }

    enum Outcome: Sendable {
        case written
        /// Other bytes than those of the list, with this digest.
        case differs([UInt8])
        case busy(Duration)
        case failed(String)
        /// The ingest takes nothing any more.
        case refused(any Error)
    }

    /// Asks a holder again and again what it has, until it has everything and the list is whole.
    func follow(_ node: NodeID, known found: Found?, _ inbox: AsyncStream<Event>.Continuation) async {
        var bytes: Int64 = 0
        if let found {
            inbox.yield(.found(node, found))
            bytes = found.present.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
        }
        let count = PieceList.pieceCount(of: size)
        var failures = 0
        var isWhole = false
        while !Task.isCancelled {
            let (supplier, pieces) = source.withLock { ($0.node, $0.known) }
            let wantsList = node == supplier && pieces < count
            if isWhole, !wantsList {
                // It may be asked for the list later: should another one fall away, or the list be withdrawn.
                try? await Task.sleep(for: .milliseconds(50))
                continue
            }
            do throws(PeerFailure) {
                let request = PeerRequest.find(
                    ask, knownBytes: wantsList ? 0 : bytes,
                    knownPieces: wantsList ? pieces : count,
                    patience: UInt32(patience.poll / .milliseconds(1)), wantsBytes: false)
                let began = ContinuousClock.now
                let reply = try await caller.call(
                    request, of: node,
                    within: .init(silence: patience.answer + patience.poll, inAll: patience.behind))
                failures = 0
                guard case .ok(let encoded) = reply else {
                    if case .busy = reply {
                        try? await Task.sleep(for: .milliseconds(100))
                        continue
                    }
                    return await giveUp(node, "it answers \(reply)", inbox)
                }
                let answer: Found
                do throws(WireError) { answer = try Found(parsing: encoded) } catch {
                    blame(node, "\(error)")
                    return await giveUp(node, "\(error)", inbox)
                }
                guard answer.transfer == transfer, answer.facts.size == size else {
                    return await giveUp(node, "it has other bytes now", inbox)
                }
                bytes = answer.present.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
                inbox.yield(.found(node, answer))
                isWhole = answer.isComplete || bytes >= size
                // Without news at once the next question need not follow at once.
                if ContinuousClock.now - began < .milliseconds(2) {
                    try? await Task.sleep(for: .milliseconds(5))
                }
            } catch {
                failures += 1
                guard failures < 2, error == .timedOut else { return await giveUp(node, "\(error)", inbox) }
            }
        }
    }

    private func giveUp(_ node: NodeID, _ reason: String, _ inbox: AsyncStream<Event>.Continuation) async {
        if !Task.isCancelled { observe(node, .failed) }
        inbox.yield(.gone(node, reason))
    }

    func fetch(_ piece: Int, _ digest: [UInt8], from node: NodeID, into ingest: Ingest) async
        -> Outcome
    {
        let range = PieceList.range(of: piece, size: size)
        let began = ContinuousClock.now
        let reply: PeerReply
        do throws(PeerFailure) {
            reply = try await caller.call(
                .bytes(ask, transfer, range), of: node, within: .piece(patience.piece))
        } catch {
            if !Task.isCancelled { observe(node, .failed) }
            return .failed("\(error)")
        }
        switch reply {
        case .ok(let bytes):
            let actual = PieceShelf.digest(bytes)
            guard bytes.count == Int(range.upperBound - range.lowerBound), actual == digest else {
                return .differs(actual)
            }
            let seconds = max((ContinuousClock.now - began) / .seconds(1), 0.000_1)
            observe(node, .throughput(Double(bytes.count) / seconds))
            do {
                try await ingest.write(bytes, at: range.lowerBound)
                return .written
            } catch {
                return .refused(error)
            }
        case .busy(let pause): return .busy(.milliseconds(Int64(min(pause, 5000))))
        case .notHeld, .denied, .unsupported, .failed: return .failed("it answers \(reply)")
        }
    }
}
