/// Which source continues a body that broke off, and how it proves to have the same bytes
/// (architecture section 5, byte-safe failover).
///
/// A name that is a digest may be continued by any source: the digest convicts a wrong one. Otherwise only
/// the same bytes may follow: those of the same upstream under the same strong validator, or those of a
/// source whose bytes from 0 equal what was received.
package struct ResumePlan: Sendable, Equatable {
    package enum Step: Sendable, Equatable {
        /// Ask source `index` for the rest, under `validator` when there is one.
        case resume(index: Int, validator: String?)
        /// Ask source `index` for everything, and hold its beginning against what was received.
        case compare(index: Int)
    }

    /// Sources with the permission to go on to the next after any failure.
    private let fallsBack: [Bool]
    private let isDigestNamed: Bool
    /// Steps until enough has come in once more: a server that cuts after every few bytes must not be asked for ever, and
    /// a wire that breaks every now and then brings the largest body in the end.
    private var stepsLeft: Int
    /// Bytes that had come when all steps were given the last time, and those read once more since then.
    private var grantedAt: Int64 = 0
    private var repeated: Int64 = 0
    private var queue: [Step] = []
    private var plannedAt: Int64 = -1

    package static let maximumSteps = 24
    /// Bytes gained, by one step or several, that are worth all steps again. What a wire brings in the moment it breaks
    /// is lost in part, so that a step may gain much less than was sent.
    package static let worthwhile: Int64 = 64 << 10

    package init(fallsBack: [Bool], isDigestNamed: Bool) {
        self.fallsBack = fallsBack
        self.isDigestNamed = isDigestNamed
        stepsLeft = Self.maximumSteps
    }

    /// The body broke off at source `index`, `offset` bytes having come: plans the steps anew if it had
    /// moved forward since the last time, else goes on with those left.
    package mutating func brokeOff(at index: Int, offset: Int64, validator: String?) {
        guard offset > plannedAt else { return }
        if offset - grantedAt >= max(Self.worthwhile, repeated / 8) {
            stepsLeft = Self.maximumSteps
            (grantedAt, repeated) = (offset, 0)
        }
        plannedAt = offset
        queue = []
        if isDigestNamed {
            queue.append(.resume(index: index, validator: nil))
        } else {
            if let validator { queue.append(.resume(index: index, validator: validator)) }
            queue.append(.compare(index: index))
        }
        var next = index
        while next < fallsBack.count - 1, fallsBack[next] {
            next += 1
            queue.append(isDigestNamed ? .resume(index: next, validator: nil) : .compare(index: next))
        }
    }

    /// A continuation began with `count` bytes that were there already. Of a source that always begins at byte 0, gains
    /// must keep up with that: else a body would be read as often as its wire breaks.
    package mutating func reread(_ count: Int64) { repeated += count }

    /// No step is left, whatever would be planned.
    package var isSpent: Bool { stepsLeft == 0 }

    /// Whoever may continue without a comparison once more for the rest: every source of a body named by its digest,
    /// beginning with `index`, else that one alone under its `validator`.
    package mutating func startOver(at index: Int, validator: String?) {
        if isDigestNamed {
            let count = fallsBack.count
            queue = (0..<count).map { .resume(index: (index + $0) % count, validator: nil) }
        } else if let validator {
            queue = [.resume(index: index, validator: validator)]
        }
    }

    /// The next thing to try; nil when nothing is left.
    package mutating func next() -> Step? {
        guard !queue.isEmpty, stepsLeft > 0 else { return nil }
        stepsLeft -= 1
        return queue.removeFirst()
    }
}
