import ChunkStore

/// Why Delivery could not give what was asked. The handler chooses the status.
public enum DeliveryFailure: Error, Sendable, Equatable, CustomStringConvertible {
    case upstream(UpstreamFailure)
    /// The bytes are not what their name promises; they were dropped.
    case mismatch(String)
    /// Two sources gave different bytes: continuing would have mixed them.
    case bytesDiffer(first: String, second: String, at: Int64)
    /// The store failed for a reason other than lack of space.
    case store(String)
    /// Nothing is held, and asking upstream was forbidden.
    case notHeld
    case cancelled

    public var description: String {
        switch self {
        case .upstream(let failure): failure.description
        case .mismatch(let what): what
        case .bytesDiffer(let first, let second, let at):
            "\(first) broke off after \(at) bytes and \(second) has other bytes: the body was given up"
        case .store(let what): "the store failed: \(what)"
        case .notHeld: "not held here, and the request forbids asking upstream"
        case .cancelled: "the transfer was given up: nobody wanted it any more"
        }
    }

    init(_ error: any Error) {
        switch error {
        case let failure as DeliveryFailure: self = failure
        case let failure as UpstreamFailure: self = failure == .cancelled ? .cancelled : .upstream(failure)
        case is CancellationError: self = .cancelled
        case StoreError.digestMismatch: self = .mismatch("\(error)")
        default: self = .store("\(error)")
        }
    }
}

extension DeliveryFailure {
    /// Whether what was received until then is as good as before.
    var leavesGoodBytes: Bool {
        switch self {
        case .upstream(.tooLong), .upstream(.unusable): false
        case .upstream, .cancelled: true
        case .mismatch, .bytesDiffer, .store, .notHeld: false
        }
    }
}

extension UpstreamFailure {
    /// The wait that a 429 asks for, where it is short enough that a reader can be kept waiting: 5 s at most.
    var askedPatience: Duration? {
        guard case .refused(let refusal) = self, refusal.status == 429,
            let seconds = refusal.retryAfter.flatMap({ Int64($0) }), (0...5).contains(seconds)
        else { return nil }
        return .seconds(seconds)
    }

    /// Whether the same request may succeed in a moment.
    var isPassing: Bool {
        switch self {
        case .unreachable, .timeout, .cutShort: true
        case .resting(_, let retryIn): retryIn <= .seconds(5)
        case .refused(let refusal): refusal.status >= 500 || askedPatience != nil
        case .tooLong, .unusable, .cancelled: false
        }
    }
}
