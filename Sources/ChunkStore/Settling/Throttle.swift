/// Paces blocking work on threads of their own and stops it at once when told to.
final class Throttle: Sendable {
    private struct State {
        var pace: Pace
        var isStopped = false
        /// How many are in a hurry: while there are any, nobody waits.
        var hurries = 0
    }
    private let state: Monitor<State>

    /// - Parameter rate: bytes a second.
    init(rate: Int64) {
        state = Monitor(State(pace: Pace(rate: rate, now: monotonicNanoseconds())))
    }

    var isStopped: Bool { state.update(waking: .none) { $0.isStopped } }

    /// Ends all work that asks from now on, and every wait.
    func stop() { state.update(waking: .all) { $0.isStopped = true } }

    /// Counts work done and waits as long as the rate demands. Blocks.
    /// - Returns: false when the work is to stop.
    func spend(_ bytes: Int) -> Bool {
        let now = monotonicNanoseconds()
        let deadline = now + state.update(waking: .none) { $0.pace.spend(bytes, now: now) }
        return state.wait { state in
            if state.isStopped { return .done(false) }
            return state.hurries > 0 || monotonicNanoseconds() >= deadline ? .done(true) : .until(deadline)
        }
    }

    /// Lets the work go on unpaced while `body` runs: somebody waits for the space it frees.
    func hurrying<Result: Sendable>(_ body: () async throws -> Result) async rethrows -> Result {
        state.update(waking: .all) { $0.hurries += 1 }
        defer { state.update(waking: .none) { $0.hurries -= 1 } }
        return try await body()
    }

    /// Waits for `duration`, or until work is to stop. Blocks.
    /// - Returns: false when the work is to stop.
    func pause(_ duration: Duration) -> Bool {
        let deadline = monotonicNanoseconds() + duration.nanoseconds
        return state.wait { state in
            if state.isStopped { return .done(false) }
            return monotonicNanoseconds() >= deadline ? .done(true) : .until(deadline)
        }
    }
}
