import Content
import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// What goes on behind an open store: settling what was published, folding what became cold, unfolding what
/// became hot, dropping what is too old, evicting above the high mark, scrubbing.
///
/// Reading and hashing happen on two threads of its own that yield to all others (settling and folding on one,
/// the scrub on the other) at limited rates; everything stops at once when the store closes.
final class Upkeep: Sendable {
    let settler: Settler
    let folder: Folder
    let unfolder: Unfolder
    let evictor: Evictor
    private let parts: StoreParts
    private let settling: BlockingPool
    private let scrubbing: BlockingPool
    private let settlePace: Throttle
    private let scrubPace: Throttle
    private let state = Mutex(State())

    private struct State {
        var tasks: [Task<Void, Never>] = []
        /// Published or hot blobs that wait for their turn; bounded, since the next round finds what is lost.
        var published: [Digest] = []
        var hot: [Digest] = []
        var isStopped = false
    }
    private static let queueLimit = 4096

    init(_ parts: StoreParts, faults: Faults = []) throws(StoreError) {
        self.parts = parts
        settling = try BlockingPool(name: "store-settle", threads: 1)
        scrubbing = try BlockingPool(name: "store-scrub", threads: 1)
        for pool in [settling, scrubbing] { pool.submit { _ = nice(19) } }
        settlePace = Throttle(rate: parts.configuration.upkeep.settleRate)
        scrubPace = Throttle(rate: parts.configuration.upkeep.scrubRate)
        settler = Settler(parts, thread: settling)
        folder = Folder(parts, thread: settling, faults: faults)
        unfolder = Unfolder(parts: parts, thread: settling)
        evictor = Evictor(
            parts, folder: folder, settler: settler, throttle: settlePace, faults: faults)
    }

    /// Begins; to be called once, before the store is used.
    func start() {
        parts.space.setMaker(evictor)
        parts.recipes.set(RecipeService(parts) { [weak self] in self?.enqueue(hot: $0) })
        parts.events.add { [weak self] event in self?.note(event) }
        guard parts.configuration.upkeep.isEnabled else { return }
        let rounds = Task { await self.rounds() }
        let scrub = Task { await self.scrub() }
        state.withLock { $0.tasks = [rounds, scrub] }
    }

    /// Ends all work behind; returns once none goes on.
    func stop() async {
        let tasks = state.withLock { state in
            state.isStopped = true
            return state.tasks
        }
        settlePace.stop()
        scrubPace.stop()
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        parts.space.setMaker(nil)
        parts.recipes.set(nil)
        await settler.close()
        await Thread.run {
            self.settling.stop()
            self.scrubbing.stop()
        }
    }

    private func note(_ event: StoreEvent) {
        switch event {
        case .published(let digest, _):
            state.withLock { state in
                if state.published.count < Self.queueLimit { state.published.append(digest) }
            }
        default: break
        }
    }

    private func enqueue(hot digest: Digest) {
        let isRunning = state.withLock { state in
            if state.hot.count < Self.queueLimit { state.hot.append(digest) }
            return !state.tasks.isEmpty && !state.isStopped
        }
        if isRunning { Task { await self.unfoldHot() } }
    }

    // MARK: Rounds

    private func rounds() async {
        await parts.swept.wait()
        await attempt("drop left-over chunks") { try await folder.dropUnused() }
        await attempt("reconcile derived data") {
            let pace = settlePace
            try await settler.reconcile { pace.isStopped }
        }
        await attempt("settle") { try await settleAll() }
        while !settlePace.isStopped {
            await round()
            do { try await Task.sleep(for: parts.configuration.upkeep.interval) } catch { return }
        }
    }

    /// Everything that is due now.
    func round() async {
        await attempt("note uses") { try await evictor.note(await parts.flushTouches()) }
        await attempt("settle") { try await settlePublished() }
        await attempt("drop what is too old") { _ = try await parts.dropUnused() }
        await unfoldHot()
        await attempt("fold") { try await foldCold() }
        await evictor.trim()
        await attempt("rewrite packs") { _ = try await parts.rewritePacks(sealing: false) }
    }

    private func settleAll() async throws {
        var after: Int64 = 0
        while !settlePace.isStopped {
            let from = after
            let rows = try await parts.readers.read { try $0.blobs(after: from, limit: 256) }
            guard let last = rows.last else { return }
            after = last.id
            for row in rows where row.place == .file { try await settle(row.digest) }
        }
    }

    private func settlePublished() async throws {
        let published = state.withLock { state in
            defer { state.published.removeAll() }
            return state.published
        }
        for digest in published where !settlePace.isStopped { try await settle(digest) }
    }

    private func settle(_ digest: Digest) async throws {
        let pace = settlePace
        do { _ = try await settler.settle(digest, pace: { pace.spend($0) }) } catch StoreError.damaged(
            _, let what)
        {
            parts.events.send(.damaged(digest, what: what))
            try await parts.remove(digest, because: what)
        }
    }

    private func unfoldHot() async {
        let hot = state.withLock { state in
            defer { state.hot.removeAll() }
            return state.hot
        }
        let pace = settlePace
        for digest in hot where !pace.isStopped {
            await attempt("unfold \(digest)") {
                do { _ = try await unfolder.unfold(digest) { pace.isStopped } } catch StoreError.noSpace {
                    return
                }
            }
        }
    }

    /// Folds whole blobs that nobody read for long.
    private func foldCold() async throws {
        let age = Int64(clamping: parts.configuration.foldAfter.nanoseconds / 1_000_000)
        let before = parts.clock.milliseconds() - age
        let cold = try await parts.readers.read { try $0.coldFiles(before: before, limit: 256) }
        for row in cold where !settlePace.isStopped {
            if parts.isInUse(row.digest) { continue }
            _ = try await fold(row)
        }
    }

    /// Folds a blob if that frees a sixteenth of it, or if relatives will make it pay.
    func fold(_ row: BlobRow) async throws -> FoldOutcome {
        guard try await settler.settlement(of: row.digest) == .cut else { return .notWorthwhile }
        let shared = try await settler.shared(of: row.digest) ?? 0
        let pace = settlePace
        let leastSaving = shared * 8 >= row.size ? 0 : 1.0 / 16
        do {
            let outcome = try await folder.fold(row.digest, leastSaving: leastSaving) { pace.isStopped }
            if case .folded = outcome { try await settler.forget(row.digest) }
            return outcome
        } catch StoreError.damaged(_, let what) {
            parts.events.send(.damaged(row.digest, what: what))
            try await parts.remove(row.digest, because: what)
            return .notAFile
        }
    }

    // MARK: Scrub

    private func scrub() async {
        guard parts.configuration.upkeep.scrubRate > 0 else { return }
        let pace = scrubPace
        while !pace.isStopped {
            await attempt("scrub") {
                let parts = parts
                let after = try await parts.readers.read { try $0.scrubbedRow() }
                let walk = Scrubber(parts: parts, thread: scrubbing)
                let report = try await walk.walk(
                    after: after, pace: { pace.spend($0) },
                    progress: { progress, row in
                        if progress.blobs % 256 == 0 { try? await parts.setScrubbedRow(row) }
                    })
                if report.isComplete { try await parts.setScrubbedRow(0) }
            }
            do { try await Task.sleep(for: .seconds(3600)) } catch { return }
        }
    }

    private func attempt(_ what: String, _ body: () async throws -> Void) async {
        do { try await body() } catch is CancellationError { return } catch {
            if settlePace.isStopped { return }
            parts.logger.warning("upkeep failed", metadata: ["doing": "\(what)", "reason": "\(error)"])
        }
    }
}

extension Connection {
    /// Blobs in files of their own that were last used before a time, the longest unused first.
    fileprivate func coldFiles(before time: Int64, limit: Int) throws(StoreError) -> [BlobRow] {
        let ids = try all(
            "SELECT id FROM blobs WHERE place = 0 AND used < ? ORDER BY used, id LIMIT ?", .integer(time),
            .integer(limit)
        ) { $0.integer(0) }
        var rows: [BlobRow] = []
        for id in ids { if let row = try blob(id: id) { rows.append(row) } }
        return rows
    }

    fileprivate func scrubbedRow() throws(StoreError) -> Int64 {
        try first("SELECT value FROM state WHERE key = 'scrubbed'") { $0.integer(0) } ?? 0
    }
}

extension StoreParts {
    fileprivate func setScrubbedRow(_ row: Int64) async throws {
        try await writer.transaction {
            try $0.connection.run(
                """
                INSERT INTO state(key, value) VALUES ('scrubbed', ?)
                ON CONFLICT(key) DO UPDATE SET value = excluded.value
                """, .integer(row))
        }
    }
}
