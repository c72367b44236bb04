import DequeModule
import Synchronization

/// A few threads for blocking work, so that the cooperative pool and the event loops never wait for a disk.
package final class BlockingPool: Sendable {
    package typealias Job = @Sendable () -> Void

    private struct State {
        var jobs = Deque<Job>()
        var stopped = false
    }
    private let state = Monitor(State())
    private let threads: [Thread]

    package init(name: String, threads count: Int) throws(StoreError) {
        let state = state
        threads = try storing { () throws(FileError) in
            var threads: [Thread] = []
            for number in 0..<count {
                threads.append(try Thread(name: "\(name)-\(number)") { BlockingPool.work(state) })
            }
            return threads
        }
    }

    private static func work(_ state: Monitor<State>) {
        while true {
            let job: Job? = state.wait { state in
                if let job = state.jobs.popFirst() { return .done(job) }
                return state.stopped ? .done(nil) : .until(nil)
            }
            guard let job else { return }
            job()
        }
    }

    /// Runs `job` on one of the threads, in the order of submission. After `stop` it runs here and now, so
    /// that nobody waits for ever.
    package func submit(_ job: @escaping Job) {
        let accepted = state.update { state in
            if state.stopped { return false }
            state.jobs.append(job)
            return true
        }
        if !accepted { job() }
    }

    /// Runs `work` on one of the threads and gives what it returns.
    package func run<Result: Sendable>(
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            submit { continuation.resume(with: Swift.Result { try work() }) }
        }
    }

    /// Ends the threads once all submitted work is done. Blocks; not to be called from a pool thread.
    package func stop() {
        state.update(waking: .all) { $0.stopped = true }
        for thread in threads { thread.join() }
    }
}
