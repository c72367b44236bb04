import DequeModule
import Synchronization

/// Jobs that run one after another, in order, on the threads of a pool: a lane never holds a thread
/// while it has nothing to do.
final class Lane: Sendable {
    private struct State {
        var jobs = Deque<BlockingPool.Job>()
        var running = false
    }
    private let pool: BlockingPool
    private let state = Mutex(State())

    init(on pool: BlockingPool) {
        self.pool = pool
    }

    func submit(_ job: @escaping BlockingPool.Job) {
        let start = state.withLock { state in
            state.jobs.append(job)
            defer { state.running = true }
            return !state.running
        }
        if start { schedule() }
    }

    /// Waits until everything submitted so far has run.
    func drained() async {
        await withCheckedContinuation { continuation in
            submit { continuation.resume() }
        }
    }

    private func schedule() {
        pool.submit { self.runSome() }
    }

    /// Runs a few jobs, then queues up again behind other lanes: no lane starves another.
    private func runSome() {
        for _ in 0..<4 {
            let job = state.withLock { state in
                let job = state.jobs.popFirst()
                if job == nil { state.running = false }
                return job
            }
            guard let job else { return }
            job()
        }
        schedule()
    }
}
