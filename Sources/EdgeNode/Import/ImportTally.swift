import ChunkStore
import ProxyFront
import Synchronization

/// Counts what an import does while it does it.
final class ImportTally: Sendable {
    private struct State {
        var summary = ImportSummary()
        var done = 0
        var total: Int?
        var bytes: Int64 = 0
    }

    private let state = Mutex(State())
    private let report: @Sendable (WorkProgress) -> Void

    init(_ report: @escaping @Sendable (WorkProgress) -> Void) { self.report = report }

    var summary: ImportSummary { state.withLock { $0.summary } }

    func begin(_ source: String, total: Int) {
        state.withLock {
            $0.summary.source = source
            $0.total = total
        }
    }

    func refuse(_ line: String) { state.withLock { $0.summary.refuse(line) } }
    func note(_ line: String) { state.withLock { $0.summary.note(line) } }

    /// Bytes that were read.
    func read(_ count: Int64) {
        tell {
            $0.bytes += count
        }
    }

    /// One object is done.
    func finished() { tell { $0.done += 1 } }

    func stored(_ bytes: Int64) {
        state.withLock {
            $0.summary.stored += 1
            $0.summary.storedBytes += bytes
        }
    }

    func held() { state.withLock { $0.summary.held += 1 } }

    func took(_ file: ModuleFile, _ outcome: ModuleOutcome, bytes: Int64) {
        switch outcome {
        case .held: held()
        case .stored(let verified):
            stored(bytes)
            if verified == .unverified { state.withLock { $0.summary.unverified += 1 } }
        case .pinned:
            stored(bytes)
            state.withLock { $0.summary.pin(file.name.text) }
        }
    }

    private func tell(_ change: (inout State) -> Void) {
        let progress = state.withLock { state in
            change(&state)
            return WorkProgress(done: state.done, total: state.total, bytes: state.bytes)
        }
        report(progress)
    }
}
