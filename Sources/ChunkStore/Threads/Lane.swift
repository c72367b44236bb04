import DequeModule
import Synchronization

/// Jobs that run one after another, in order, on the threads of a pool: a lane never holds a thread
/// while it has nothing to do. One without a pool runs them on the thread of whoever brings one while none runs; its
/// jobs must be short.
final class Lane: Sendable {
    private struct State {
        var jobs = Deque<BlockingPool.Job>()
        var running = false
    }
    private let pool: BlockingPool?
    private let state = Mutex(State())

    init(on pool: BlockingPool?) {
        self.pool = pool
    }

    func submit(_ job: @escaping BlockingPool.Job) {
        if append(job) { start() }
    }

    /// Takes a job in, which is legal while holding locks that jobs take.
    /// - Returns: true when the lane stands still: the caller has to `start` it once it holds none of them.
    func append(_ job: @escaping BlockingPool.Job) -> Bool {
        state.withLock { state in
            state.jobs.append(job)
            defer { state.running = true }
            return !state.running
        }
    }

    /// Runs what `append` took in.
    func start() {
        guard let pool else {
            while let job = next() { job() }
            return
        }
        pool.submit { self.runSome() }
    }

    /// Waits until everything submitted so far has run.
    func drained() async {
        await withCheckedContinuation { continuation in
            submit { continuation.resume() }
        }
    }

    /// Runs a few jobs, then queues up again behind other lanes: no lane starves another.
    private func runSome() {
        for _ in 0..<4 {
            guard let job = next() else { return }
            job()
        }
        start()
    }

    private func next() -> BlockingPool.Job? {
        state.withLock { state in
            let job = state.jobs.popFirst()
            if job == nil { state.running = false }
            return job
        }
    }
}
