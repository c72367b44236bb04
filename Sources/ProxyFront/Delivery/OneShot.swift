import Synchronization

/// A value that will be there once, and those who wait for it.
///
/// Fulfilled at most once; waiting ends early when the waiter's task is cancelled, which stops nobody else.
package final class OneShot<Value: Sendable>: Sendable {
    package struct TimedOut: Error {}

    private struct State {
        var value: Value?
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// The value, if it is there already.
    package var current: Value? { state.withLock { $0.value } }

    /// Sets the value and wakes everybody. Later calls change nothing.
    @discardableResult
    package func fulfil(_ value: Value) -> Bool {
        let waiters: [CheckedContinuation<Void, Never>]? = state.withLock { state in
            guard state.value == nil else { return nil }
            state.value = value
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        guard let waiters else { return false }
        for waiter in waiters { waiter.resume() }
        return true
    }

    /// Waits for the value.
    /// - Throws: `CancellationError` when the calling task is cancelled first.
    package func value() async throws -> Value {
        while true {
            if let value = current { return value }
            try Task.checkCancellation()
            await waitForChange()
        }
    }

    /// Waits for the value at most for `patience`.
    /// - Throws: `TimedOut`, or `CancellationError`.
    package func value(within patience: Duration) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await self.value() }
            group.addTask {
                try await Task.sleep(for: patience)
                throw TimedOut()
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw TimedOut() }
            return first
        }
    }

    private func waitForChange() async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard state.value == nil, !Task.isCancelled else { return false }
                    state.waiters[id] = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
