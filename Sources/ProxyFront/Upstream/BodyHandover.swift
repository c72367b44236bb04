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
        /// Bytes in the whole body.
        var total: Int64
    }

    private struct State {
        var buffer = ByteBuffer()
        var received: Int64 = 0
        var end: Result<Void, UpstreamFailure>?
        var consumer: CheckedContinuation<Void, Never>?
        var producer: CheckedContinuation<Void, Never>?
        var pump: Task<Void, Never>?
        var waited: Duration = .zero
        var progress = 0
        /// Tells a timer that fires late from the wait it was set for.
        var wait: UInt64 = 0
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
        state.withLock { $0.pump }?.cancel()
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
            } else {
                state.buffer.writeBuffer(&bytes)
            }
            wake(&state)
            return state.buffer.readableBytes >= limits.window
        }
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
    }

    private func wake(_ state: inout State) {
        state.wait &+= 1
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
        if state.buffer.readableBytes > 0 {
            let bytes = state.buffer
            state.buffer = ByteBuffer()
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
        var timer: Scheduled<Void>?
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let wait: (id: UInt64, left: Duration)? = state.withLock { state in
                    guard state.buffer.readableBytes == 0, state.end == nil, !Task.isCancelled else {
                        return nil
                    }
                    state.wait &+= 1
                    state.consumer = continuation
                    return (state.wait, limits.stall - state.waited)
                }
                guard let wait else { return continuation.resume() }
                timer = eventLoop.scheduleTask(in: TimeAmount(wait.left)) { self.stalled(wait.id) }
            }
        } onCancel: {
            state.withLock { wake(&$0) }
        }
        timer?.cancel()
        let spent = ContinuousClock.now - start
        state.withLock { $0.waited += spent }
    }

    private func stalled(_ wait: UInt64) {
        let pump = state.withLock { state -> Task<Void, Never>? in
            guard state.wait == wait, state.consumer != nil else { return nil }
            finish(&state, .failure(.timeout(upstream: upstream, phase: .receiving, after: limits.stall)))
            return state.pump
        }
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
