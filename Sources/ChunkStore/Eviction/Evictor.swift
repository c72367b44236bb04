import Content
import Logging
import Synchronization

/// Frees space: below the high water mark it does nothing, above it it throws out what the policy says until
/// the low one is reached. A blob whose bytes are mostly shared is folded instead of dropped.
///
/// The policy is fed from the index (new rows, uses), so that a restart loses little and publication does
/// nothing for it. Pins and files that somebody has open are asked for when a victim is chosen.
final class Evictor: RoomMaker {
    private struct State {
        var policy: EvictionPolicy
        /// The highest blob row that the policy was told of.
        var lastRow: Int64 = 0
    }
    private let parts: StoreParts
    private let folder: Folder
    private let settler: Settler
    private let throttle: Throttle
    private let faults: Faults
    private let marks: WaterMarks
    private let gate = Gate()
    private let state: Mutex<State>
    private let cost: Mutex<EvictionPolicy.RefetchCost>

    init(_ parts: StoreParts, folder: Folder, settler: Settler, throttle: Throttle, faults: Faults) {
        self.parts = parts
        self.folder = folder
        self.settler = settler
        self.throttle = throttle
        self.faults = faults
        let configuration = parts.configuration
        marks = WaterMarks(
            capacity: configuration.capacity, high: configuration.highWater, low: configuration.lowWater,
            reservedFree: configuration.reservedFree)
        state = Mutex(State(policy: EvictionPolicy()))
        cost = Mutex { Double($1) }
    }

    /// What a refetch costs, in the unit of bytes; infinite = to be evicted only when nothing else is left.
    func setCost(_ cost: @escaping EvictionPolicy.RefetchCost) { self.cost.withLock { $0 = cost } }

    func makeRoom(for bytes: Int64) async -> Bool {
        await throttle.hurrying {
            await gate.locked {
                await free(incoming: bytes)
                let parts = parts
                return (try? await parts.pool.run { try parts.space.fits(bytes) }) ?? false
            }
        }
    }

    /// Goes down to the low mark if the high one is passed.
    func trim() async { await gate.locked { await free(incoming: 0) } }

    /// Drops one blob, unless it is pinned.
    /// - Returns: false when it stays or is not held.
    func evict(_ digest: Digest) async throws -> Bool {
        try await gate.locked {
            guard let row = try await parts.readers.read({ try $0.blob(digest) }) else { return false }
            return try await drop(row, pins: try await pins()) != nil
        }
    }

    private func pins(since last: PinnedContent? = nil) async throws -> PinnedContent {
        faults.contains(.evictPinned) ? .nothing : try await parts.pinnedContent(since: last)
    }

    private func free(incoming: Int64) async {
        do {
            guard try await excess(incoming) > 0 else { return }
            let uses = await parts.flushTouches()
            try await catchUp()
            try await note(uses)
            for _ in 0..<3 {
                let ranOut = try await evict(incoming)
                let freed = try await parts.rewritePacks(sealing: true)
                let left = try await excess(incoming)
                if left <= 0 || ranOut && freed == 0 { return }
            }
        } catch {
            parts.logger.error("cannot make room", metadata: ["reason": "\(error)"])
        }
    }

    private func excess(_ incoming: Int64) async throws -> Int64 {
        let (parts, marks) = (parts, marks)
        return try await parts.pool.run {
            let free = try storing { () throws(FileError) in
                try parts.files.freeSpace(at: parts.layout.root)
            }
            return marks.excess(used: parts.space.used, free: free, incoming: incoming)
        }
    }

    /// Evicts until what was freed and what rewriting packs will free is enough.
    /// - Returns: true when nothing is left that may go.
    private func evict(_ incoming: Int64) async throws -> Bool {
        var inPacks: Int64 = 0
        var pins: PinnedContent?
        while try await excess(incoming) > inPacks {
            let now = try await self.pins(since: pins)
            pins = now
            guard let victim = try await chooseVictim(pins: now) else { return true }
            if victim.place == .file, try await foldInstead(victim) { continue }
            inPacks += try await drop(victim, pins: now) ?? 0
        }
        return false
    }

    private func chooseVictim(pins: PinnedContent) async throws -> BlobRow? {
        let parts = parts
        let cost = cost.withLock { $0 }
        return try await parts.readers.read { connection in
            while true {
                var failure: (any Error)?
                let chosen = self.state.withLock { state in
                    state.policy.evict { key in
                        do {
                            guard let row = try connection.blob(id: key) else { return .yes }
                            if parts.isInUse(row.digest) { return .no }
                            if try connection.isPinned(row, by: pins) { return .no }
                            return cost(row.digest, row.size) == .infinity ? .last : .yes
                        } catch {
                            failure = error
                            return .no
                        }
                    }
                }
                if let failure { throw failure }
                guard let chosen else { return nil }
                if let row = try connection.blob(id: chosen) { return row }
            }
        }
    }

    /// Folds a victim most of whose bytes others share. The first of a family frees little, but each after it
    /// nearly as much as dropping it would, and nothing is lost.
    private func foldInstead(_ victim: BlobRow) async throws -> Bool {
        guard let shared = try await settler.shared(of: victim.digest), shared * 2 >= victim.size else {
            return false
        }
        let throttle = throttle
        do {
            let outcome = try await folder.fold(victim.digest, leastSaving: 0) { throttle.isStopped }
            guard case .folded(let stored) = outcome else { return false }
            state.withLock { $0.policy.insert(Self.candidate(victim, size: stored)) }
            return true
        } catch StoreError.noSpace {
            return false
        } catch StoreError.damaged(_, let what) {
            parts.events.send(.damaged(victim.digest, what: what))
            return false
        }
    }

    /// - Returns: bytes that come back only once packs are rewritten; nil when it stays.
    private func drop(_ victim: BlobRow, pins known: PinnedContent) async throws -> Int64? {
        let (parts, faults) = (parts, faults)
        return try await parts.writer.transaction { stage -> (names: [ReferenceName], inPacks: Int64)? in
            // Pinned, replaced or folded since it was chosen: it stays.
            let pins =
                faults.contains(.evictPinned)
                ? .nothing
                : PinnedContent(patterns: try stage.connection.pinPatterns(), reached: known.reached)
            guard let row = try stage.connection.blob(victim.digest), row.id == victim.id,
                row.place == victim.place, try !stage.connection.isPinned(row, by: pins)
            else { return nil }
            let names = try stage.connection.references(ofBlob: row.id).map(\.name)
            let before = try stage.connection.totals("records").bytes
            try stage.connection.deleteBlob(id: row.id)
            if row.place == .file { stage.dropFile(of: row.digest, size: row.size) }
            return (names, before - (try stage.connection.totals("records").bytes))
        } visible: { dropped in
            guard let dropped else { return }
            parts.cache.removed(victim.digest, dropped.names)
            parts.events.unnamed(dropped.names)
            parts.events.send(.evicted(victim.digest, size: victim.size))
        }?.inPacks
    }

    // MARK: What the policy knows

    /// Counts uses since the last look.
    func note(_ uses: [Digest: Int64]) async throws {
        guard !uses.isEmpty else { return }
        try await parts.readers.read { connection in
            for (digest, hits) in uses.sorted(by: { $0.key < $1.key }) {
                guard let row = try connection.blob(digest) else { continue }
                self.state.withLock { state in
                    for _ in 0..<min(hits, Int64(S3FIFO.maximumFrequency)) { state.policy.hit(row.id) }
                }
            }
        }
    }

    /// Tells the policy of the blobs that came since it was last told; at first of all, by their last use.
    private func catchUp() async throws {
        let parts = parts
        try await parts.readers.read { connection in
            let last = self.state.withLock { $0.lastRow }
            var rows = try Self.rows(connection, after: last)
            // Row numbers of removed blobs may be used again: then the counts differ, and all are looked at.
            let known = self.state.withLock { $0.policy.count }
            if try connection.totals("blobs").count != Int64(known + rows.count) {
                rows = try Self.rows(connection, after: 0)
            }
            if last == 0 { rows.sort { $0.used < $1.used } }
            let cost = self.cost.withLock { $0 }
            self.state.withLock { state in
                state.policy.setCost(cost)
                for row in rows {
                    state.lastRow = max(state.lastRow, row.id)
                    if state.policy.contains(row.id) { continue }
                    state.policy.restore(Self.candidate(row, size: row.size), hits: row.hits)
                }
            }
        }
    }

    private static func rows(_ connection: Connection, after: Int64) throws -> [BlobRow] {
        var rows: [BlobRow] = []
        while true {
            let next = try connection.blobs(after: rows.last?.id ?? after, limit: 1000)
            if next.isEmpty { return rows }
            rows += next
        }
    }

    private static func candidate(_ row: BlobRow, size: Int64) -> EvictionCandidate {
        EvictionCandidate(
            key: row.id, digest: row.digest, size: size, rank: row.place == .record ? .metadata : .bulk)
    }
}

extension Connection {
    func pinPatterns() throws(StoreError) -> [NamePattern] {
        try all("SELECT pattern FROM pins") { NamePattern($0.text(0) ?? "") }
    }

    /// Whether a pinned name keeps the blob, as its own or by its reach.
    func isPinned(_ row: BlobRow, by pins: PinnedContent) throws(StoreError) -> Bool {
        guard !pins.patterns.isEmpty else { return false }
        if pins.reached.contains(row.digest) { return true }
        return try references(ofBlob: row.id).contains { reference in
            pins.patterns.contains { $0.matches(reference.name.text) }
        }
    }
}
