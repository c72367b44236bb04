import ChunkStore
import Content
import NIOCore

/// Going on with a body at another place: at another source, or behind bytes that came by themselves.
extension Transfer {
    /// Fewer bytes ahead of the front than this are not worth another request.
    private static let worthSkipping: Int64 = 1 << 20

    /// Goes on behind bytes that ranges have brought already, where there are many.
    /// - Returns: true when nothing is missing any more.
    mutating func skipWhatIsThere() async throws -> Bool {
        guard relay == nil, order.expected != nil, let ingest, let total,
            ingest.presentCount >= offset + Self.worthSkipping,
            let end = ingest.present.first(where: { $0.contains(offset) })?.upperBound,
            end - offset >= Self.worthSkipping
        else { return false }
        answer.body.cancel()
        offset = end
        guard offset < total else { return true }
        let next = try await source.open(from: offset, to: nil, validator: nil)
        try await adopt(next, index: index)
        return false
    }

    /// Finds a source for the bytes from `offset` on, by the steps of the plan.
    /// - Throws: `DeliveryFailure.bytesDiffer` when a source that answered has other bytes, else `failure`.
    mutating func continueElsewhere(after failure: UpstreamFailure) async throws {
        let broken = sourceName
        var last = failure
        var other: String?
        while let step = await nextStep(after: last) {
            do {
                let next =
                    switch step {
                    case .resume(let index, _), .compare(let index): index
                    }
                let start = order.sources[next].member
                switch step {
                case .resume(_, let validator):
                    let answer = try await start.open(from: offset, to: nil, validator: validator)
                    try await adopt(answer, index: next)
                case .compare:
                    let answer = try await start.open(from: 0, to: nil, validator: nil)
                    try await adopt(answer, index: next)
                }
                return
            } catch let failure as UpstreamFailure {
                // That another source has nothing does not make good that this one is away.
                if failure.isPassing || !last.isPassing { last = failure }
            } catch is Differs {
                other = order.sources[step.index].member.name
                // It has other bytes now: waiting brings those back from nowhere.
                if step.index == index { validator = nil }
            }
        }
        if let other { throw DeliveryFailure.bytesDiffer(first: broken, second: other, at: offset) }
        throw last == .cancelled ? failure : last
    }

    /// The plan's next step; when it has none left and waiting may help, those without a comparison again after a while.
    private mutating func nextStep(after failure: UpstreamFailure) async -> ResumePlan.Step? {
        if let step = plan.next() { return step }
        guard order.expected != nil || validator != nil, failure.isPassing, !plan.isSpent,
            let pause = pauses.popFirst()
        else { return nil }
        var wait = pause
        if case .resting(_, let retryIn) = failure { wait = max(wait, retryIn) }
        if let asked = failure.askedPatience { wait = max(wait, asked) }
        // The flight's own task is never cancelled.
        try? await Task.sleep(for: wait)
        plan.startOver(at: index, validator: validator)
        return plan.next()
    }

    struct Differs: Error {}

    /// Goes on with `new`, if its bytes continue those received.
    mutating func adopt(_ new: UpstreamAnswer, index: Int) async throws {
        var taken = false
        defer { if !taken { new.body.cancel() } }
        if order.size == nil, let total, let other = new.facts.total, other != total { throw Differs() }
        // A server that knows no If-Range gives a part of whatever it has now.
        if order.expected == nil, new.facts.offset > 0, let validator, let other = new.facts.validator,
            other != validator
        {
            throw Differs()
        }
        switch new.facts.offset {
        case offset where offset > 0: answer = new
        case 0:
            let rest = try await comparing(new.body)
            answer = new
            if let rest { try await accept(rest) }
        default:
            throw UpstreamFailure.unusable(
                upstream: order.sources[index].member.name,
                reason: "asked for the bytes from \(offset), it gave those from \(new.facts.offset)")
        }
        taken = true
        self.index = index
        let giver = order.sources[index].member.name
        sourceName = giver
        if !givers.contains(giver) { givers.append(giver) }
        if new.facts.offset == 0 { validator = new.facts.validator }
        authenticated = authenticated || new.facts.authenticated
        let (source, validator) = (source, validator)
        flight.state.withLock { $0.rangeSource = (source, validator) }
    }

    /// Holds a body against the bytes received, up to `offset`.
    /// - Returns: what came of the body beyond `offset`.
    private mutating func comparing(_ body: any UpstreamBody) async throws -> ByteBuffer? {
        guard offset > 0 else { return nil }
        plan.reread(offset)
        guard relay == nil, let ingest else { throw Differs() }
        var position: Int64 = 0
        while position < offset {
            guard var bytes = try await body.next() else { throw Differs() }
            let count = min(Int64(bytes.readableBytes), offset - position)
            let held = try await FileBytes.read(ingest.slice(position..<position + count))
            guard let part = bytes.readSlice(length: Int(count)), part.readableBytesView.elementsEqual(held)
            else { throw Differs() }
            position += count
            if bytes.readableBytes > 0 { return bytes }
        }
        return nil
    }
}

extension ResumePlan.Step {
    var index: Int {
        switch self {
        case .resume(let index, _), .compare(let index): index
        }
    }
}
