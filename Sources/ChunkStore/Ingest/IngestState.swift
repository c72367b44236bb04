import Content

/// What an ingest knows of itself; every change happens under the ingest's lock and nothing in here waits.
struct IngestState: Sendable {
    enum Phase: Sendable, Equatable {
        case open
        case sealed(Digest, Int64)
        /// Published, parked, abandoned or failed: no more writes.
        case released
    }

    /// A reader that waits for the byte at the start of its range.
    struct Waiter: Sendable {
        let range: Range<Int64>
        let continuation: CheckedContinuation<Range<Int64>, any Error>
    }

    /// What one write has to do.
    struct Plan: Sendable {
        /// The parts that nobody has written or is writing.
        var runs: [Range<Int64>] = []
        /// The part that extends the front and is hashed from the writer's memory.
        var hashed: Range<Int64>?
        var count: Int64 { runs.reduce(0) { $0 + $1.length } }
    }

    var size: Int64?
    var phase = Phase.open
    /// Bytes that readers may have.
    var present = PresenceMap()
    /// Bytes that are present or on their way to the disk: nobody else writes them.
    var claimed = PresenceMap()
    /// Bytes handed to the hashing lane, and bytes hashed, both from 0 on.
    var assigned: Int64 = 0
    var hashed: Int64 = 0
    /// Set when the disk was full: writes end, readers keep what is there.
    var isFull = false
    /// Set when readers get nothing any more.
    var failure: (any Error)?
    var waiters: [UInt64: Waiter] = [:]
    var nextWaiter: UInt64 = 0
    var hashWaiters: [CheckedContinuation<Void, Never>] = []
    /// Bytes counted in the store's account.
    var reserved: Int64 = 0
    /// Bytes present that the partial's map does not hold yet.
    var unsaved: Int64 = 0
    var isSaving = false
    /// Set once the partial has a map beside it.
    var hasMap = false

    mutating func plan(_ range: Range<Int64>) throws -> Plan {
        if let failure { throw failure }
        guard phase == .open else { throw StoreError.released }
        if isFull { throw StoreError.noSpace }
        if let size, range.upperBound > size {
            throw StoreError.lengthMismatch(expected: size, found: range.upperBound)
        }
        var plan = Plan(runs: claimed.missing(in: range))
        for run in plan.runs { claimed.insert(run) }
        if let run = plan.runs.first(where: { $0.lowerBound == assigned }) {
            plan.hashed = run
            assigned = run.upperBound
        }
        return plan
    }

    /// What a reader of `range` gets now; nil = it has to wait.
    func answer(_ range: Range<Int64>) throws -> Range<Int64>? {
        if let failure { throw failure }
        let end = present.end(from: range.lowerBound)
        if end > range.lowerBound { return range.lowerBound..<min(end, range.upperBound) }
        if let size, range.lowerBound >= size { return range.lowerBound..<range.lowerBound }
        if range.isEmpty { return range }
        if isFull { throw StoreError.noSpace }
        if phase == .released { throw StoreError.released }
        return nil
    }

    /// Takes out the readers that need not wait any more, with what they get.
    mutating func takeReady() -> [(Waiter, Result<Range<Int64>, any Error>)] {
        var ready: [(Waiter, Result<Range<Int64>, any Error>)] = []
        for (key, waiter) in waiters {
            do {
                guard let answer = try answer(waiter.range) else { continue }
                ready.append((waiter, .success(answer)))
            } catch { ready.append((waiter, .failure(error))) }
            waiters[key] = nil
        }
        return ready
    }

    /// Hands the hashing lane what lies on disk beyond what it was given: the range to read back.
    mutating func takeCatchUp() -> Range<Int64>? {
        let end = present.end(from: assigned)
        guard end > assigned, failure == nil else { return nil }
        defer { assigned = end }
        return assigned..<end
    }

    /// - Throws: `StoreError.lengthMismatch` when another size is known or more bytes are there.
    mutating func setSize(_ size: Int64) throws(StoreError) {
        if let known = self.size, known != size { throw .lengthMismatch(expected: known, found: size) }
        guard claimed.end <= size else { throw .lengthMismatch(expected: size, found: claimed.end) }
        self.size = size
    }
}
