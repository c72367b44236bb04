import NIOCore
import Synchronization

/// Carries an upstream's body from the connection to its one consumer: collects what arrives while the
/// consumer is busy, so that it works in large buffers; holds the connection back when enough is waiting;
/// and notices a stall.
///
/// Only time in which the consumer waits counts as a stall, so a consumer that is slow itself (a client
/// reading at its own pace) never runs into one. A trickle counts as a stall too: within each `stall` of
/// waiting at least `minimumProgress` bytes must arrive.
final class BodyHandover: UpstreamBody {
    struct Limits: Sendable {
        var stall: Duration
        /// Bytes per `stall` of waiting below which a body counts as stalled.
        var minimumProgress: Int
        /// Bytes that may wait for the consumer.
        var window = 512 * 1024
        /// Bytes that are worth waking the consumer and all who wait for it, once `prompt` bytes have come: each time
        /// costs some ten changes between threads.
        var gather = 256 * 1024
        var prompt: Int64 = 1 << 20
        /// So long bytes wait for others at most.
        var patience = Duration.milliseconds(2)
        /// Bytes in the whole body.
        var total: Int64
    }

    private struct State {
        var buffer = ByteBuffer()
        /// Whether what waits is to go to the consumer now.
        var isDue = false
        var gathersSince = ContinuousClock.now
        /// A timer looks after what waits.
        var isGathering = false
        var received: Int64 = 0
        var end: Result<Void, UpstreamFailure>?
        var consumer: CheckedContinuation<Void, Never>?
        var producer: CheckedContinuation<Void, Never>?
        var pump: Task<Void, Never>?
        var waited: Duration = .zero
        var progress = 0
        /// When the consumer began to wait.
        var waitsSince: ContinuousClock.Instant?
        /// Looks whether the consumer has waited for too long. One that is set stays, however often the consumer
        /// waits meanwhile: to set one wakes the event loop.
        var isTimed = false
        var timer: Scheduled<Void>?
    }

    private let state = Mutex(State())
    private let upstream: String
    private let expected: Int64?
    private let limits: Limits
    private let eventLoop: any EventLoop

    init(upstream: String, expected: Int64?, limits: Limits, eventLoop: any EventLoop) {
        self.upstream = upstream
        self.expected = expected
        self.limits = limits
        self.eventLoop = eventLoop
    }

    deinit {
        // The pump holds this object only while it hands something over, so letting go ends the transfer.
        let (pump, timer) = state.withLock { ($0.pump, $0.timer) }
        pump?.cancel()
        timer?.cancel()
    }

    /// Names the task that calls `offer`, so that it can be cancelled.
    func started(_ pump: Task<Void, Never>) {
        let over = state.withLock { state in
            state.pump = pump
            return state.end != nil
        }
        if over { pump.cancel() }
    }

    // MARK: the connection's side

    /// Hands bytes over and waits while the window is full. False: stop, nobody wants more.
    func offer(_ bytes: ByteBuffer) async -> Bool {
        var bytes = bytes
        let now = ContinuousClock.now
        var startsGathering = false
        let waiting: Bool? = state.withLock { state in
            guard state.end == nil else { return nil }
            state.received += Int64(bytes.readableBytes)
            state.progress += bytes.readableBytes
            guard state.received <= limits.total else {
                finish(&state, .failure(.tooLong(upstream: upstream, limit: limits.total)))
                return nil
            }
            if state.buffer.readableBytes == 0 {
                state.buffer = bytes
                state.gathersSince = now
            } else {
                state.buffer.reserveCapacity(limits.gather + bytes.readableBytes)
                state.buffer.writeBuffer(&bytes)
            }
            if state.received <= limits.prompt || state.buffer.readableBytes >= limits.gather
                || now - state.gathersSince >= limits.patience
            {
                hand(&state)
            } else if !state.isGathering {
                (state.isGathering, startsGathering) = (true, true)
            }
            return state.buffer.readableBytes >= limits.window
        }
        if startsGathering { endGathering() }
        guard let waiting else { return false }
        guard waiting else { return true }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let full = state.withLock { state in
                    guard state.end == nil, state.buffer.readableBytes >= limits.window, !Task.isCancelled
                    else {
                        return false
                    }
                    state.producer = continuation
                    return true
                }
                if !full { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in
                state.producer?.resume()
                state.producer = nil
            }
        }
        return state.withLock { $0.end == nil }
    }

    /// What waits goes to the consumer.
    private func hand(_ state: inout State) {
        state.isDue = true
        wake(&state)
    }

    /// What came in a burst does not wait for the next one.
    private func endGathering() {
        eventLoop.scheduleTask(in: TimeAmount(limits.patience)) { [weak self] in
            self?.state.withLock { state in
                state.isGathering = false
                if state.buffer.readableBytes > 0, !state.isDue { self?.hand(&state) }
            }
        }
    }

    /// The upstream ended its body, or the connection failed.
    func finish(_ result: Result<Void, UpstreamFailure>) {
        state.withLock { finish(&$0, result) }
    }

    private func finish(_ state: inout State, _ result: Result<Void, UpstreamFailure>) {
        guard state.end == nil else { return }
        if case .success = result, let expected, state.received < expected {
            state.end = .failure(.cutShort(upstream: upstream, received: state.received, expected: expected))
        } else {
            state.end = result
        }
        wake(&state)
        state.producer?.resume()
        state.producer = nil
        state.timer?.cancel()
        state.timer = nil
    }

    private func wake(_ state: inout State) {
        state.consumer?.resume()
        state.consumer = nil
    }

    // MARK: the consumer's side

    func next() async throws(UpstreamFailure) -> ByteBuffer? {
        while true {
            if let step = state.withLock({ take(&$0) }) {
                return try step.get()
            }
            if Task.isCancelled {
                cancel()
                throw .cancelled
            }
            await waitForMore()
        }
    }

    private func take(_ state: inout State) -> Result<ByteBuffer?, UpstreamFailure>? {
        if state.buffer.readableBytes > 0, state.isDue || state.end != nil {
            let bytes = state.buffer
            (state.buffer, state.isDue) = (ByteBuffer(), false)
            if state.progress >= limits.minimumProgress { (state.waited, state.progress) = (.zero, 0) }
            state.producer?.resume()
            state.producer = nil
            return .success(bytes)
        }
        switch state.end {
        case .success: return .success(nil)
        case .failure(let error): return .failure(error)
        case nil: return nil
        }
    }

    private func waitForMore() async {
        let start = ContinuousClock.now
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let patience: Duration? = state.withLock { state in
                    guard !state.isDue, state.end == nil, !Task.isCancelled else {
                        continuation.resume()
                        return nil
                    }
                    (state.consumer, state.waitsSince) = (continuation, start)
                    guard !state.isTimed else { return nil }
                    state.isTimed = true
                    return limits.stall - state.waited
                }
                if let patience { look(after: patience) }
            }
        } onCancel: {
            state.withLock { wake(&$0) }
        }
        let spent = ContinuousClock.now - start
        state.withLock { $0.waited += spent }
    }

    private func look(after patience: Duration) {
        let timer = eventLoop.scheduleTask(in: TimeAmount(max(patience, .milliseconds(1)))) {
            [weak self] () -> Void in self?.lookForStall()
        }
        let isOver = state.withLock { state in
            state.timer = timer
            return state.end != nil
        }
        if isOver { timer.cancel() }
    }

    private func lookForStall() {
        let now = ContinuousClock.now
        let (left, pump): (Duration?, Task<Void, Never>?) = state.withLock { state in
            state.isTimed = false
            // The next wait sets a timer of its own.
            guard state.end == nil, state.consumer != nil, let since = state.waitsSince else {
                return (nil, nil)
            }
            let left = limits.stall - state.waited - (now - since)
            guard left <= .zero else {
                state.isTimed = true
                return (left, nil)
            }
            if state.buffer.readableBytes > 0 {
                // The next wait tells whether it was enough.
                hand(&state)
                return (nil, nil)
            }
            finish(
                &state, .failure(.timeout(upstream: upstream, phase: .receiving, after: limits.stall)))
            return (nil, state.pump)
        }
        if let left { look(after: left) }
        pump?.cancel()
    }

    func cancel() {
        let pump = state.withLock { state in
            finish(&state, .failure(.cancelled))
            return state.pump
        }
        pump?.cancel()
    }
}
