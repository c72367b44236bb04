import DequeModule
import Synchronization

/// The one thread that changes the index, the packs and the names in `blobs/`, and so puts all of that in one
/// order. Operations that wait together are committed together.
package final class IndexWriter: Sendable {
    private struct Operation: Sendable {
        let cost: Int
        let prepare: @Sendable (WriteStage) throws -> Void
        let apply: @Sendable (WriteStage) throws -> Void
        /// Makes the outcome visible in memory.
        let visible: @Sendable () -> Void
        let finish: @Sendable (Result<Void, any Error>) -> Void
    }

    private struct Queue {
        var operations = Deque<Operation>()
        var cost = 0
        /// When the oldest operation that may wait has to be committed; 0 = at once.
        var deadline: UInt64?
        var stopped = false
    }

    /// What one operation carries from step to step.
    // Unchecked: only the writer's thread touches it until `finish`, which comes last.
    private final class Carried<Prepared, Value>: @unchecked Sendable {
        var prepared: Prepared?
        var value: Value?
    }

    /// An operation's rows were changed by an earlier one of the same group after it had prepared: it is to be
    /// started over.
    package struct StartOver: Error {
        package init() {}
    }

    private let queue = Monitor(Queue())
    private let thread: Mutex<Thread?>
    private static let groupLimit = 512
    private static let groupCost = 16 << 20

    init(makeStage: @escaping @Sendable () -> WriteStage) throws(StoreError) {
        let queue = queue
        thread = Mutex(
            try storing { () throws(FileError) in
                try Thread(name: "store-writer") {
                    let stage = makeStage()
                    while let group = Self.nextGroup(queue) { Self.run(group, on: stage) }
                }
            })
    }

    /// Runs one operation: `prepare` deals with files, then everything is synced, then `apply` changes rows,
    /// then the commit is synced, then `visible` runs, then this returns.
    /// - Parameter cost: bytes that the operation writes, to bound a group.
    /// - Throws: what `prepare` or `apply` throws (nothing of the operation happened), or the failure of the
    ///   group's sync or commit.
    package func perform<Prepared, Value: Sendable>(
        cost: Int = 0,
        prepare: @escaping @Sendable (WriteStage) throws -> Prepared,
        apply: @escaping @Sendable (WriteStage, Prepared) throws -> Value,
        visible: @escaping @Sendable (Value) -> Void = { _ in }
    ) async throws -> Value {
        for _ in 0..<16 {
            do {
                return try await withCheckedThrowingContinuation { continuation in
                    enqueue(cost: cost, delay: nil, prepare: prepare, apply: apply, visible: visible) {
                        continuation.resume(with: $0)
                    }
                }
            } catch is StartOver {
                continue
            }
        }
        throw StoreError.database(
            code: 5, message: "an operation was started over too often", doing: "writing")
    }

    /// Runs one transaction that touches no files.
    package func transaction<Value: Sendable>(
        _ apply: @escaping @Sendable (WriteStage) throws -> Value,
        visible: @escaping @Sendable (Value) -> Void = { _ in }
    ) async throws -> Value {
        try await perform(prepare: { _ in }, apply: { stage, _ in try apply(stage) }, visible: visible)
    }

    /// As `perform`, but the operation may wait for others up to `delay` (nil = commit at once).
    func enqueue<Prepared, Value: Sendable>(
        cost: Int, delay: Duration?,
        prepare: @escaping @Sendable (WriteStage) throws -> Prepared,
        apply: @escaping @Sendable (WriteStage, Prepared) throws -> Value,
        visible: @escaping @Sendable (Value) -> Void,
        finish: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        let carried = Carried<Prepared, Value>()
        let operation = Operation(
            cost: cost,
            prepare: { carried.prepared = try prepare($0) },
            apply: { stage in
                guard let prepared = carried.prepared else { throw StoreError.closed }
                carried.value = try apply(stage, prepared)
            },
            visible: { if let value = carried.value { visible(value) } },
            finish: { result in
                finish(
                    result.flatMap {
                        carried.value.map { .success($0) } ?? .failure(StoreError.closed)
                    })
            })
        let deadline = delay.map { monotonicNanoseconds() + $0.nanoseconds } ?? 0
        let accepted = queue.update { queue in
            if queue.stopped { return false }
            queue.operations.append(operation)
            queue.cost += cost
            queue.deadline = min(queue.deadline ?? deadline, deadline)
            return true
        }
        if !accepted { finish(.failure(StoreError.closed)) }
    }

    private static func nextGroup(_ queue: Monitor<Queue>) -> [Operation]? {
        queue.wait { queue -> Waited<[Operation]?> in
            guard let deadline = queue.deadline else { return queue.stopped ? .done(nil) : .until(nil) }
            let due =
                queue.stopped || deadline <= monotonicNanoseconds() || queue.operations.count >= groupLimit
                || queue.cost >= groupCost
            guard due else { return .until(deadline) }
            var group: [Operation] = []
            var cost = 0
            while group.count < groupLimit, cost < groupCost, let next = queue.operations.popFirst() {
                group.append(next)
                cost += next.cost
            }
            queue.cost -= cost
            if queue.operations.isEmpty { queue.deadline = nil }
            return .done(group)
        }
    }

    private static func run(_ group: [Operation], on stage: WriteStage) {
        var prepared: [Operation] = []
        var outcomes: [(Operation, Result<Void, any Error>)] = []
        for operation in group {
            do {
                try operation.prepare(stage)
                prepared.append(operation)
            } catch { outcomes.append((operation, .failure(reported(error)))) }
        }
        do {
            try stage.synchronize()
            let applied = try commit(prepared, on: stage)
            let failed = applied.contains { if case .failure = $0.1 { true } else { false } }
            for case (let operation, .success) in applied { operation.visible() }
            stage.finish(committed: true, anyFailed: failed)
            outcomes += applied
        } catch {
            stage.finish(committed: false, anyFailed: true)
            outcomes += prepared.map { ($0, .failure(reported(error))) }
        }
        for (operation, outcome) in outcomes { operation.finish(outcome) }
    }

    private static func commit(
        _ operations: [Operation], on stage: WriteStage
    ) throws -> [(Operation, Result<Void, any Error>)] {
        let connection = stage.connection
        try connection.run("BEGIN IMMEDIATE")
        do {
            try stage.recordPacks()
            var outcomes: [(Operation, Result<Void, any Error>)] = []
            for operation in operations {
                try connection.run("SAVEPOINT operation")
                let mark = stage.mark()
                do {
                    try operation.apply(stage)
                    outcomes.append((operation, .success(())))
                } catch {
                    guard connection.isInTransaction else { throw error }
                    try connection.run("ROLLBACK TO operation")
                    stage.rewind(to: mark)
                    outcomes.append((operation, .failure(reported(error))))
                }
                try connection.run("RELEASE operation")
            }
            try connection.run("COMMIT")
            return outcomes
        } catch {
            if connection.isInTransaction { try? connection.run("ROLLBACK") }
            throw error
        }
    }

    private static func reported(_ error: any Error) -> any Error {
        (error as? FileError).map { StoreError($0) } ?? error
    }

    /// Commits what waits and ends the thread. Blocks.
    func stop() {
        queue.update(waking: .all) { $0.stopped = true }
        let thread = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        thread?.join()
    }
}

extension Duration {
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(clamping: seconds) * 1_000_000_000 + UInt64(clamping: attoseconds / 1_000_000_000)
    }
}
