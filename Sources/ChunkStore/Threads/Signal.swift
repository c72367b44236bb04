import Synchronization

/// Something that happens once and can be waited for.
final class Signal: Sendable {
    private enum State {
        case waiting([CheckedContinuation<Void, Never>])
        case fired
    }
    private let state = Mutex(State.waiting([]))

    func fire() {
        let waiting = state.withLock { state in
            defer { state = .fired }
            if case .waiting(let waiting) = state { return waiting }
            return []
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isFired = state.withLock { state in
                guard case .waiting(let waiting) = state else { return true }
                state = .waiting(waiting + [continuation])
                return false
            }
            if isFired { continuation.resume() }
        }
    }
}
