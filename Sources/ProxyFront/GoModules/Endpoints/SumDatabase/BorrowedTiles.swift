import Synchronization

/// Tiles that are at hand for a while, because an import brings them. They are as suspect as any other until they are
/// proven.
final class BorrowedTiles: Sendable {
    typealias Read = @Sendable (Tile) async -> [UInt8]?

    private let lenders = Mutex<[(id: Int, read: Read)]>([])

    /// Lends what `read` gives while `body` runs.
    func lending<Result: Sendable>(_ read: @escaping Read, _ body: () async -> Result) async -> Result {
        let id = lenders.withLock { lenders in
            let id = (lenders.last?.id ?? 0) + 1
            lenders.append((id, read))
            return id
        }
        let result = await body()
        lenders.withLock { lenders in lenders.removeAll { $0.id == id } }
        return result
    }

    func tile(_ tile: Tile) async -> [UInt8]? {
        for lender in lenders.withLock({ $0 }) {
            if let hashes = await lender.read(tile), hashes.count == tile.byteCount { return hashes }
        }
        return nil
    }
}
