/// Keeps a dead upstream from costing every request a time-out: after an outage nothing is sent for a
/// while, then one probe decides. A value: the clock is handed in.
///
/// An upstream that cannot be reached or does not answer opens the breaker at once, so that a black hole
/// costs one time-out; errors of a living server (5xx, bodies cut short) open it only in a row.
public struct CircuitBreaker: Sendable, Equatable {
    public typealias Instant = ContinuousClock.Instant

    public struct Configuration: Sendable, Equatable {
        /// Errors of a living server in a row until the breaker opens.
        public var errorsToOpen = 5
        /// The first rest; each failed probe doubles it.
        public var firstRest: Duration = .seconds(1)
        public var longestRest: Duration = .seconds(15)

        public init() {}
    }

    public enum State: Sendable, Equatable {
        case closed(errors: Int)
        case open(until: Instant, rest: Duration)
        case probing(rest: Duration)
    }

    public enum Admission: Sendable, Equatable {
        case pass
        /// The caller, and only this one, shall probe and then report.
        case probe
        /// Another caller is probing.
        case probing
        case rest(Duration)
    }

    /// What a request or a probe met.
    public enum Outcome: Sendable, Equatable {
        case success
        /// Nobody there: no connection or no answer in time.
        case dead
        /// Somebody there, but failing.
        case error
    }

    public private(set) var state: State = .closed(errors: 0)
    public let configuration: Configuration

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
    }

    /// Whether a request may be sent now. After `.probe`, `probed` must follow.
    public mutating func admit(now: Instant) -> Admission {
        switch state {
        case .closed: return .pass
        case .probing: return .probing
        case .open(let until, let rest):
            guard now >= until else { return .rest(until - now) }
            state = .probing(rest: rest)
            return .probe
        }
    }

    /// What a request met that had been let pass. A straggler's failure does not prolong an open
    /// breaker's rest; its success closes it.
    public mutating func met(_ outcome: Outcome, now: Instant) {
        switch (state, outcome) {
        case (_, .success): state = .closed(errors: 0)
        case (.closed, .dead): open(rest: configuration.firstRest, now: now)
        case (.closed(let errors), .error):
            if errors + 1 >= configuration.errorsToOpen {
                open(rest: configuration.firstRest, now: now)
            } else {
                state = .closed(errors: errors + 1)
            }
        case (.open, _), (.probing, _): break
        }
    }

    /// What the probe met. Ignored unless one is out.
    public mutating func probed(_ outcome: Outcome, now: Instant) {
        guard case .probing(let rest) = state else { return }
        if outcome == .success {
            state = .closed(errors: 0)
        } else {
            open(rest: min(rest * 2, configuration.longestRest), now: now)
        }
    }

    private mutating func open(rest: Duration, now: Instant) {
        state = .open(until: now + rest, rest: rest)
    }
}
