/// Which signed head a node gives with the lookups it holds, so that a client that knows nothing yet can check
/// every one of them with the tiles the node holds, though the database may be out of reach.
///
/// All lookups are answered with one head, the newest whose tiles are all held: the tiles that prove the held
/// records, and those that lead a client from any head given out before to this one. A newer head waits
/// until its tiles are there. A value without clock or I/O; the caller stores what it keeps.
public struct SumDBCache: Sendable {
    /// How many of the heads given out before are remembered.
    public static let rememberedHeadCount = 64

    /// The head that lookups are answered with.
    public private(set) var served: SignedTreeHead?
    /// A newer head that lacks tiles.
    public private(set) var waiting: SignedTreeHead?
    /// The sizes of heads that were served before, the newest last.
    public private(set) var servedSizes: [Int64]
    /// The numbers of the records whose lookups are held.
    public private(set) var records: Set<Int64>

    /// - Parameters: what an earlier life of the cache had, as kept by the caller.
    public init(served: SignedTreeHead? = nil, servedSizes: [Int64] = [], records: Set<Int64> = []) {
        self.served = served
        self.servedSizes = Array(servedSizes.suffix(Self.rememberedHeadCount))
        self.records = records
    }

    /// Takes a record whose lookup is held now.
    public mutating func insert(record: Int64) { records.insert(record) }

    /// Forgets a record whose lookup was dropped.
    public mutating func remove(record: Int64) { records.remove(record) }

    /// Takes note of a head that proved to continue all before it; only one newer than those known counts.
    public mutating func offer(_ head: SignedTreeHead) {
        let known = max(served?.size ?? -1, waiting?.size ?? -1)
        if head.size > known { waiting = head }
    }

    /// The tiles that are lacking before `head` may be served, in the order to fetch them in.
    public func missingTiles(for head: SignedTreeHead, shelf: TileShelf) -> [Tile] {
        let reachable = records.filter { $0 < head.size }.sorted()
        let sizes = servedSizes + (served.map { [$0.size] } ?? [])
        return Self.tiles(for: head.head, records: reachable, olderSizes: sizes).filter { !shelf.holds($0) }
    }

    /// Serves the waiting head from now on if its tiles are all held and it covers every record.
    ///
    /// - Returns: whether the served head changed; then the caller stores `served` and `servedSizes`.
    public mutating func advance(shelf: TileShelf) -> Bool {
        guard let next = waiting, records.allSatisfy({ $0 < next.size }),
            missingTiles(for: next, shelf: shelf).isEmpty
        else { return false }
        if let served { servedSizes = Array((servedSizes + [served.size]).suffix(Self.rememberedHeadCount)) }
        served = next
        waiting = nil
        return true
    }

    /// The answer to a lookup that is held, with the head that clients can check it under; nil when the
    /// served head does not reach up to the record, or tiles that prove it are lacking.
    public func answer(_ lookup: SumDBLookup, shelf: TileShelf) -> [UInt8]? {
        guard let served, lookup.record < served.size else { return nil }
        let tiles = Self.tiles(for: served.head, records: [lookup.record], olderSizes: [])
        return tiles.allSatisfy(shelf.holds) ? lookup.answer(with: served) : nil
    }

    /// The tiles that a client needs to check lookups of `records` under `head`, when it knows no head yet
    /// or one of `olderSizes`.
    public static func tiles(for head: TreeHead, records: [Int64], olderSizes: [Int64]) -> [Tile] {
        TilePlan(head: head, nodes: nodes(for: head, records: records, olderSizes: olderSizes)).tiles
    }

    static func nodes(for head: TreeHead, records: [Int64], olderSizes: [Int64]) -> [TreeNode] {
        records.filter { $0 >= 0 && $0 < head.size }.map { TreeNode(level: 0, number: $0) }
            + olderSizes.filter { $0 >= 0 && $0 <= head.size }.flatMap(TreeNode.peaks)
    }
}
