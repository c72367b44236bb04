import Logging
import NIOCore
import Synchronization

/// The upstreams as the rest of the node asks them: through each one's circuit breaker, counted and logged.
public final class UpstreamPool: Sendable {
    /// What a person wants to know about an upstream.
    public struct Health: Sendable, Equatable {
        public enum State: String, Sendable {
            case up
            case resting
            case probing
        }

        public let upstream: String
        public let state: State
        /// The last failure since the last success.
        public let lastFailure: String?
    }

    private struct Entry {
        let upstream: Upstream
        var breaker: CircuitBreaker
        var lastFailure: String?
        var probe: Task<Bool, Never>?
    }

    /// How long a request that found its upstream resting waits for the probe that it sets off.
    private static let probePatience: Duration = .milliseconds(500)

    public let transport: any UpstreamTransport
    private let configuration: CircuitBreaker.Configuration
    private let metrics: Metrics
    private let logger: Logger
    private let entries = Mutex<[Upstream: Entry]>([:])

    public init(
        transport: any UpstreamTransport, breaker: CircuitBreaker.Configuration = .init(), metrics: Metrics,
        logger: Logger
    ) {
        self.transport = transport
        self.configuration = breaker
        self.metrics = metrics
        self.logger = logger
    }

    /// The upstreams asked so far, by name.
    public var health: [Health] {
        entries.withLock { $0.values.sorted { $0.upstream.name < $1.upstream.name } }.map { entry in
            let state: Health.State =
                switch entry.breaker.state {
                case .closed: .up
                case .open: .resting
                case .probing: .probing
                }
            return Health(upstream: entry.upstream.name, state: state, lastFailure: entry.lastFailure)
        }
    }

    /// Whether nothing is sent to the upstream at present.
    func isResting(_ upstream: Upstream) -> Bool {
        entries.withLock { entries in
            switch entries[upstream]?.breaker.state {
            case .open, .probing: true
            case .closed, nil: false
            }
        }
    }

    /// Whether a request would go to the upstream, or a probe before it: an upstream that has rested long enough is tried
    /// by the next one who wants something of it.
    func isAsked(_ upstream: Upstream) -> Bool {
        entries.withLock { entries in
            switch entries[upstream]?.breaker.state {
            case .closed, nil: true
            case .probing: false
            case .open(let until, _): ContinuousClock.now >= until
            }
        }
    }

    /// Sends `request` to `upstream` unless its breaker is open.
    ///
    /// What the body's stream meets afterwards is reported by itself.
    public func get(
        _ request: UpstreamRequest, from upstream: Upstream
    ) async throws(UpstreamFailure) -> UpstreamAnswer {
        try await admit(to: upstream)
        let measured = metrics.upstreams[upstream.name]
        measured.requests.add()
        var request = request
        request.tls = upstream.tls
        let start = ContinuousClock.now
        do {
            let answer = try await transport.get(request)
            measured.latency.observe(ContinuousClock.now - start)
            met(.success, at: upstream, nil)
            return UpstreamAnswer(
                facts: answer.facts, body: WatchedBody(body: answer.body, upstream: upstream, pool: self))
        } catch {
            failed(error, at: upstream)
            throw error
        }
    }

    /// The whole body in memory: for the small resources.
    public func whole(
        _ request: UpstreamRequest, from upstream: Upstream
    ) async throws(UpstreamFailure) -> (facts: UpstreamFacts, bytes: [UInt8]) {
        let answer = try await get(request, from: upstream)
        defer { answer.body.cancel() }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(min(answer.facts.length ?? 0, 1 << 20)))
        while let part = try await answer.body.next() {
            bytes.append(contentsOf: part.readableBytesView)
        }
        return (answer.facts, bytes)
    }

    // MARK: the breaker

    private func admit(to upstream: Upstream) async throws(UpstreamFailure) {
        let (admission, probe) = entries.withLock { entries in
            var entry = entries[upstream] ?? Entry(upstream: upstream, breaker: CircuitBreaker(configuration))
            let admission = entry.breaker.admit(now: .now)
            if admission == .probe { entry.probe = startProbe(of: upstream) }
            entries[upstream] = entry
            return (admission, entry.probe)
        }
        switch admission {
        case .pass: return
        case .rest(let left):
            metrics.upstreams[upstream.name].errors.add(.refused)
            throw .resting(upstream: upstream.name, retryIn: left)
        case .probe, .probing:
            if let probe, await Self.succeeds(probe, within: Self.probePatience) { return }
            metrics.upstreams[upstream.name].errors.add(.refused)
            throw .resting(upstream: upstream.name, retryIn: configuration.firstRest)
        }
    }

    /// A probe is nobody's request: it asks for the base and takes any answer of a living server for good.
    private func startProbe(of upstream: Upstream) -> Task<Bool, Never> {
        Task {
            var outcome = CircuitBreaker.Outcome.success
            do throws(UpstreamFailure) {
                try await transport.probe(upstream)
            } catch {
                outcome = .dead
                logger.debug("\(upstream.name) is still failing: \(error)")
            }
            let alive = outcome == .success
            entries.withLock { entries in
                entries[upstream]?.breaker.probed(outcome, now: .now)
                entries[upstream]?.probe = nil
                if alive { entries[upstream]?.lastFailure = nil }
            }
            if alive {
                metrics.upstreams[upstream.name].healthy.set(1)
                logger.notice("\(upstream.name) answers again")
            }
            return alive
        }
    }

    private static func succeeds(_ probe: Task<Bool, Never>, within patience: Duration) async -> Bool {
        let verdict = OneShot<Bool>()
        Task { verdict.fulfil(await probe.value) }
        return (try? await verdict.value(within: patience)) == true
    }

    private func met(_ outcome: CircuitBreaker.Outcome, at upstream: Upstream, _ failure: UpstreamFailure?) {
        let opened = entries.withLock { entries -> Bool in
            guard var entry = entries[upstream] else { return false }
            let before = entry.breaker.state
            entry.breaker.met(outcome, now: .now)
            entry.lastFailure = failure?.description
            entries[upstream] = entry
            if case .open = entry.breaker.state, case .closed = before { return true }
            return false
        }
        if opened {
            metrics.upstreams[upstream.name].healthy.set(0)
            logger.warning("\(failure?.description ?? upstream.name): not asked for a while")
        } else if outcome == .success {
            metrics.upstreams[upstream.name].healthy.set(1)
        }
    }

    fileprivate func received(_ count: Int, from upstream: Upstream) {
        metrics.upstreams[upstream.name].bytes.add(count)
    }

    fileprivate func failed(_ failure: UpstreamFailure, at upstream: Upstream) {
        if let kind = failure.metric { metrics.upstreams[upstream.name].errors.add(kind) }
        switch failure {
        case .unreachable, .timeout(_, .connecting, _), .timeout(_, .waiting, _):
            met(.dead, at: upstream, failure)
        case .refused(let refusal) where refusal.status < 500: met(.success, at: upstream, nil)
        case _ where failure.isOutage: met(.error, at: upstream, failure)
        default: break
        }
    }
}

/// A body that reports to the pool what befalls it.
private struct WatchedBody: UpstreamBody {
    let body: any UpstreamBody
    let upstream: Upstream
    let pool: UpstreamPool

    func next() async throws(UpstreamFailure) -> ByteBuffer? {
        do {
            let part = try await body.next()
            if let part { pool.received(part.readableBytes, from: upstream) }
            return part
        } catch {
            pool.failed(error, at: upstream)
            throw error
        }
    }

    func cancel() { body.cancel() }
}

extension UpstreamFailure {
    /// How the metrics count it; nil for what is no failure of the upstream.
    var metric: UpstreamError? {
        switch self {
        case .unreachable: .connect
        case .timeout: .timeout
        case .resting: .refused
        case .cutShort: .cut
        case .unusable: .status
        case .refused(let refusal): refusal.status >= 500 ? .status : nil
        case .tooLong, .cancelled: nil
        }
    }
}
