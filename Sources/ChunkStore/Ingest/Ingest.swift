import Content
import Synchronization

/// One blob on its way into the store: written at any offset, hashed along its gapless front, read while it
/// grows. Belongs to whoever began it; readers may be many.
///
/// Bytes that are there never change: a second write of the same range writes only what is lacking.
public final class Ingest: Sendable {
    /// The digest that the bytes must have; nil = whatever SHA-256 they turn out to have.
    public let expected: Digest?
    let id: Int64
    let file: OpenFile
    /// Its bytes are in memory: nothing of it is on disk before it is published, and its lanes wait for no thread.
    let isInMemory: Bool
    /// Where `file` is.
    let files: any FileSystem
    let parts: StoreParts
    let observer: (any FrontObserver)?
    let state: Mutex<IngestState>
    private let hasher: Mutex<DigestHasher>
    let writing: Lane
    let hashing: Lane
    /// Saves and discards of the partial, one after another.
    let keeping: Lane

    /// The longest that is kept in memory, in bytes, however large the objects are that go into packs.
    static let inMemoryLimit = 64 << 10
    /// Bytes that may be written but not yet hashed before writers wait.
    private static let hashBacklog: Int64 = 16 << 20
    /// How much is read back at once when the front catches up with bytes on disk.
    private static let block = 1 << 20

    init(
        id: Int64, file: OpenFile, isInMemory: Bool = false, expected: Digest?, state: IngestState,
        observer: (any FrontObserver)?, parts: StoreParts
    ) {
        self.id = id
        self.file = file
        self.isInMemory = isInMemory
        files = isInMemory ? PosixFileSystem() : parts.files
        self.expected = expected
        self.observer = observer
        self.parts = parts
        self.state = Mutex(state)
        hasher = Mutex(DigestHasher(expected?.algorithm ?? .sha256))
        let workers = isInMemory ? nil : parts.workers
        writing = Lane(on: workers)
        hashing = Lane(on: observer?.isQuick ?? true ? workers : parts.workers)
        keeping = Lane(on: workers)
    }

    deinit {
        let left = state.withLock { state in
            defer { state.phase = .released }
            return state.phase == .released ? nil : state.reserved
        }
        guard let left else { return }
        if isInMemory { return parts.space.add(-left) }
        let (parts, id) = (parts, id)
        parts.pool.submit { parts.discardPartial(id, reserved: left) }
    }

    /// The blob's size once it is known.
    public var size: Int64? { state.withLock { $0.size } }
    /// Which bytes are there, in order.
    public var present: [Range<Int64>] { state.withLock { $0.present.ranges } }
    /// Bytes that are there.
    public var presentCount: Int64 { state.withLock { $0.present.count } }

    /// Says how long the blob is.
    /// - Throws: `StoreError.lengthMismatch` when another size is known or more bytes are there; the ingest
    ///   has failed then.
    public func setSize(_ size: Int64) throws {
        do {
            let ready = try state.withLock { state in
                try state.setSize(size)
                return state.takeReady()
            }
            Self.resume(ready)
        } catch {
            fail(error)
            throw error
        }
    }

    /// Says that upstream ended at `size`: the size is now known. When that contradicts what is known, the
    /// ingest fails with `StoreError.lengthMismatch`.
    public func markEnd(at size: Int64) {
        // The error went to the readers and comes again at `seal`.
        try? setSize(size)
    }

    /// Writes `bytes` at `offset` on the store's threads; what is already there is left as it is.
    ///
    /// Returns once the bytes can be read, and once hashing is not too far behind.
    /// - Throws: `StoreError.noSpace` when disk or capacity are full (readers keep what is there, further
    ///   writes throw the same), `.lengthMismatch` beyond the known size, the ingest's failure, or `.released`.
    public func write(_ bytes: some ByteSource, at offset: Int64) async throws {
        let range = offset..<offset + Int64(bytes.count)
        guard !range.isEmpty else { return }
        do throws(StoreError) { try await parts.space.reserve(range.length) } catch {
            if error == .noSpace { becomeFull() }
            throw error
        }
        do {
            let plan = try take(range, of: bytes)
            parts.space.add(plan.count - range.length)
            try await write(plan.runs, of: bytes, at: offset)
        } catch {
            if case StoreError.lengthMismatch = error { fail(error) }
            throw error
        }
        await hashingCaughtUp()
    }

    /// Claims the part of `range` that is lacking and sends what extends the front to the hashing lane.
    private func take(_ range: Range<Int64>, of bytes: some ByteSource) throws -> IngestState.Plan {
        do {
            let (plan, starts) = try state.withLock { state in
                let plan = try state.plan(range)
                state.reserved += plan.count
                guard let run = plan.hashed else { return (plan, false) }
                // Brought under the lock: the lane must get runs in the order in which they were assigned.
                return (plan, hashing.append { self.hash(run, of: bytes, from: range.lowerBound) })
            }
            if starts { hashing.start() }
            return plan
        } catch {
            parts.space.add(-range.length)
            throw error
        }
    }

    private func write(_ runs: [Range<Int64>], of bytes: some ByteSource, at offset: Int64) async throws {
        do {
            try await writeOnce(runs, of: bytes, at: offset)
        } catch StoreError.noSpace {
            let wanted = runs.reduce(0) { $0 + $1.length }
            guard await parts.space.makeRoom(for: wanted) else {
                becomeFull()
                throw StoreError.noSpace
            }
            do { try await writeOnce(runs, of: bytes, at: offset) } catch StoreError.noSpace {
                becomeFull()
                throw StoreError.noSpace
            }
        }
    }

    private func writeOnce(_ runs: [Range<Int64>], of bytes: some ByteSource, at offset: Int64) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            writing.submit {
                do {
                    for run in runs {
                        try bytes.withBytes { raw in
                            let part = Int(run.lowerBound - offset)..<Int(run.upperBound - offset)
                            try self.files.write(
                                UnsafeRawBufferPointer(rebasing: raw[part]), to: self.file, at: run.lowerBound
                            )
                        }
                    }
                    self.wrote(runs)
                    continuation.resume()
                } catch {
                    let error = (error as? FileError).map { StoreError($0) as any Error } ?? error
                    if case StoreError.noSpace = error {} else { self.fail(error) }
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    private func wrote(_ runs: [Range<Int64>]) {
        let (ready, starts) = state.withLock { state in
            for run in runs {
                state.present.insert(run)
                state.unsaved += run.length
            }
            let starts = state.takeCatchUp().map(queueReadingBack) ?? false
            return (state.takeReady(), starts)
        }
        if starts { hashing.start() }
        Self.resume(ready)
        saveIfDue()
    }

    private func becomeFull() {
        let ready = state.withLock { state in
            state.isFull = true
            return state.takeReady()
        }
        Self.resume(ready)
    }

    // MARK: Hashing, on the hashing lane

    /// Queues the reading back of bytes that came before the front reached them, in pieces that do not hold a
    /// thread for long.
    /// - Returns: true when the hashing lane has to be started.
    private func queueReadingBack(_ range: Range<Int64>) -> Bool {
        var starts = false
        var start = range.lowerBound
        while start < range.upperBound {
            let piece = start..<min(range.upperBound, start + 4 * Int64(Self.block))
            if hashing.append({ self.readBack(piece) }) { starts = true }
            start = piece.upperBound
        }
        return starts
    }

    /// Hashes bytes that are there since an earlier time.
    func hashFromDisk(_ range: Range<Int64>) {
        if queueReadingBack(range) { hashing.start() }
    }

    private func readBack(_ range: Range<Int64>) {
        let length = min(Self.block, Int(range.length))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 64)
        defer { buffer.deallocate() }
        var offset = range.lowerBound
        while offset < range.upperBound, state.withLock({ $0.failure == nil }) {
            let wanted = min(buffer.count, Int(range.upperBound - offset))
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            do {
                let count = try files.read(from: file, into: target, at: offset)
                guard count == wanted else {
                    throw StoreError.lengthMismatch(expected: range.upperBound, found: offset + Int64(count))
                }
            } catch {
                fail((error as? FileError).map { StoreError($0) as any Error } ?? error)
                return
            }
            advance(UnsafeRawBufferPointer(target), at: offset)
            offset += Int64(wanted)
        }
    }

    private func hash(_ run: Range<Int64>, of bytes: some ByteSource, from offset: Int64) {
        guard state.withLock({ $0.failure == nil }) else { return }
        bytes.withBytes { raw in
            let part = Int(run.lowerBound - offset)..<Int(run.upperBound - offset)
            advance(UnsafeRawBufferPointer(rebasing: raw[part]), at: run.lowerBound)
        }
    }

    private func advance(_ bytes: UnsafeRawBufferPointer, at offset: Int64) {
        hasher.withLock { $0.update(bytes) }
        do { try observer?.front(advanced: bytes, at: offset) } catch {
            fail(error)
            return
        }
        let waiting = state.withLock { state in
            state.hashed = offset + Int64(bytes.count)
            return state.assigned - state.hashed <= Self.hashBacklog ? state.takeHashWaiters() : []
        }
        for continuation in waiting { continuation.resume() }
    }

    private func hashingCaughtUp() async {
        await withCheckedContinuation { continuation in
            let go = state.withLock { state in
                if state.failure != nil || state.assigned - state.hashed <= Self.hashBacklog { return true }
                state.hashWaiters.append(continuation)
                return false
            }
            if go { continuation.resume() }
        }
    }

    /// The hash of everything up to the front; to be asked once the lanes are drained.
    func currentDigest() -> Digest { hasher.withLock { $0.finalize() } }

    static func resume(_ ready: [(IngestState.Waiter, Result<Range<Int64>, any Error>)]) {
        for (waiter, result) in ready { waiter.continuation.resume(with: result) }
    }
}

extension IngestState {
    mutating func takeHashWaiters() -> [CheckedContinuation<Void, Never>] {
        defer { hashWaiters.removeAll() }
        return hashWaiters
    }
}
