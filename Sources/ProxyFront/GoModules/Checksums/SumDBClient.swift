import Synchronization

/// What a checksum database client needs from the world around it.
///
/// Whatever `tile` and `lookup` give is taken for suspect until it is proven.
public protocol SumDBSource: Sendable {
    /// The database's answer to a lookup.
    func lookup(_ module: ModuleIdentity) async throws -> [UInt8]
    /// The hashes of a tile, from the cache or else from the database.
    func tile(_ tile: Tile) async throws -> [UInt8]
    /// Keeps tiles that proved to belong to a signed tree.
    func save(_ tiles: [(tile: Tile, hashes: [UInt8])]) async
    /// Keeps the newest head; it must survive a restart, for it is what forks are noticed by.
    func save(_ head: SignedTreeHead) async throws
}

/// A client of one checksum database: believes a record only if it is in a tree that the database signed, and
/// a tree only if it continues the newest one known (golang.org/x/mod/sumdb, `Client`).
///
/// All methods may be called from several tasks at once.
public final class SumDBClient: Sendable {
    public let verifier: NoteVerifier
    private let source: any SumDBSource
    private let newest: Mutex<SignedTreeHead?>

    /// - Parameter head: the newest head known from before, nil at the very first start.
    public init(verifier: NoteVerifier, head: SignedTreeHead?, source: any SumDBSource) {
        self.verifier = verifier
        self.source = source
        newest = Mutex(head)
    }

    /// The newest head known.
    public var head: SignedTreeHead? { newest.withLock { $0 } }

    /// Asks for a module's record and proves it.
    ///
    /// - Throws: `SumDBError` when the answer is not to be believed, `.fork` of them being an alarm; and
    ///   whatever the source throws. The newest head may have moved on all the same.
    public func lookup(_ module: ModuleIdentity) async throws -> SumDBRecord {
        try await verify(try await source.lookup(module), of: module)
    }

    /// Proves an answer that was got otherwise; see `lookup`.
    public func verify(_ answer: [UInt8], of module: ModuleIdentity) async throws -> SumDBRecord {
        let lookup = try SumDBLookup(parsing: answer)
        return try await prove(lookup, of: module, under: try await merge(lookup.note))
    }

    /// Proves a record under a head that is known to be the database's.
    public func prove(
        _ lookup: SumDBLookup, of module: ModuleIdentity, under head: SignedTreeHead
    ) async throws -> SumDBRecord {
        guard lookup.record < head.size else {
            throw SumDBError.recordBeyondTree(record: lookup.record, size: head.size)
        }
        let leaf = try await hashes(of: [TreeNode(level: 0, number: lookup.record)], in: head.head)
        guard leaf[0] == lookup.leaf else { throw SumDBError.recordNotInTree(record: lookup.record) }
        let lines = lookup.lines(about: module)
        guard !lines.isEmpty else { throw SumDBError.recordOfAnother(module) }
        return SumDBRecord(lookup: lookup, lines: lines, head: head)
    }

    /// Takes note of a signed head: the newest head known moves on to it if it is newer.
    ///
    /// - Returns: the newest head now known.
    /// - Throws: as `lookup`.
    @discardableResult
    public func merge(_ note: [UInt8]) async throws -> SignedTreeHead {
        let given = try SignedTreeHead(parsing: note, verifier: verifier)
        var known = head
        while true {
            guard let older = known else {
                if let now = replace(nil, with: given) {
                    known = now
                    continue
                }
                return try await persist(given, replacing: nil)
            }
            if given.size <= older.size {
                try await check(given, isContinuedBy: older)
                return older
            }
            try await check(older, isContinuedBy: given)
            // Another task may have moved the head while tiles were fetched.
            if let now = replace(older, with: given) {
                known = now
                continue
            }
            return try await persist(given, replacing: older)
        }
    }

    /// Has the newest head saved. If that fails the head is not believed either, or it would never be saved.
    private func persist(
        _ head: SignedTreeHead, replacing older: SignedTreeHead?
    ) async throws -> SignedTreeHead {
        do {
            var saving = head
            while true {
                try await source.save(saving)
                // A larger head may have been saved just before this one, and been overwritten.
                guard let now = self.head, now.size > saving.size else { return head }
                saving = now
            }
        } catch {
            newest.withLock { if $0 == head { $0 = older } }
            throw error
        }
    }

    /// Fetches and proves what is needed to serve a head to others, and gives it to the source to save.
    ///
    /// - Parameters:
    ///   - records: the records whose lookups will be answered with the head.
    ///   - olderSizes: sizes of heads that clients may already hold.
    public func prefetch(_ head: SignedTreeHead, records: [Int64], olderSizes: [Int64]) async throws {
        let nodes = SumDBCache.nodes(for: head.head, records: records, olderSizes: olderSizes)
        _ = try await hashes(of: nodes, in: head.head)
    }

    /// The head that stands in the way of the exchange, or nil once it is made.
    private func replace(_ old: SignedTreeHead?, with new: SignedTreeHead) -> SignedTreeHead? {
        newest.withLock { current in
            if current == old {
                current = new
                return nil
            }
            return current
        }
    }

    private func check(_ older: SignedTreeHead, isContinuedBy newer: SignedTreeHead) async throws {
        if older.head == newer.head { return }
        if older.size == newer.size {
            // Of two trees of one size the one known before is called the older.
            throw SumDBError.fork(
                SumDBFork(older: newer, newer: older, found: older.head.hash, proof: []))
        }
        let peaks = try await hashes(of: TreeNode.peaks(of: older.size), in: newer.head)
        let found = TreeNode.fold(peaks)
        if found == older.head.hash { return }
        // The proof is made of tiles that were fetched and proven just now.
        let groups = older.size > 0 ? TreeProof.consistency(older: older.size, size: newer.size) : []
        var proof: [TreeHash] = []
        for group in groups { proof.append(TreeNode.fold(try await hashes(of: group, in: newer.head))) }
        throw SumDBError.fork(SumDBFork(older: older, newer: newer, found: found, proof: proof))
    }

    private func hashes(of nodes: [TreeNode], in head: TreeHead) async throws -> [TreeHash] {
        let plan = TilePlan(head: head, nodes: nodes)
        let data = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for (index, tile) in plan.tiles.enumerated() {
                group.addTask { (index, try await self.fetch(tile)) }
            }
            var data = [[UInt8]](repeating: [], count: plan.tiles.count)
            for try await (index, bytes) in group { data[index] = bytes }
            return data
        }
        let hashes = try plan.authenticate(data)
        await source.save(zip(plan.tiles, data).map { (tile: $0, hashes: $1) })
        return hashes
    }

    /// A partial tile may be gone once it has been filled: the full one holds it then.
    private func fetch(_ tile: Tile) async throws -> [UInt8] {
        do {
            return try await source.tile(tile)
        } catch {
            guard !tile.isFull, !(error is CancellationError),
                let full = try? await source.tile(tile.full), full.count == tile.full.byteCount
            else { throw error }
            return Array(full.prefix(tile.byteCount ?? 0))
        }
    }
}

/// A record that was proven to be in the database.
public struct SumDBRecord: Sendable {
    public let lookup: SumDBLookup
    /// The record's lines about the module that was asked for; at least one.
    public let lines: [GoSumLine]
    /// The head that it was proven under.
    public let head: SignedTreeHead

    /// The sums of the module's zip or go.mod; there is none when the database does not know the file.
    public func hashes(of subject: GoSumLine.Subject) -> [ModuleHash] {
        lines.filter { $0.subject == subject }.map(\.hash)
    }
}
