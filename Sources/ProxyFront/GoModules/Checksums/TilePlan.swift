/// Which tiles it takes to learn some hashes of a signed tree, and how the tiles prove themselves: first
/// those at the right edge against the signed hash, then each other tile against the hash in its parent
/// (research.swtch.com/tlog, "Authenticating tiles"; golang.org/x/mod/sumdb/tlog, `TileHashReader`).
struct TilePlan {
    let head: TreeHead
    let nodes: [TreeNode]
    /// Parents stand before their children.
    let tiles: [Tile]

    private let height: Int
    private let indices: [Tile: Int]
    private let peaks: [TreeNode]
    /// How many of the first tiles hold the peaks.
    private let peakTileCount: Int

    /// - Precondition: every node is a complete subtree of the tree.
    init(head: TreeHead, nodes: [TreeNode], height: Int = 8) {
        var tiles: [Tile] = []
        var indices: [Tile: Int] = [:]
        func plan(_ tile: Tile) {
            guard indices[tile] == nil else { return }
            indices[tile] = tiles.count
            tiles.append(tile)
        }
        let peaks = TreeNode.peaks(of: head.size)
        for peak in peaks {
            if let tile = Self.tile(holding: peak, height: height, size: head.size) { plan(tile) }
        }
        peakTileCount = tiles.count
        for node in nodes {
            precondition((node.number + 1) << Int64(node.level) <= head.size, "the node is in the tree")
            var missing: [Tile] = []
            var next = Self.tile(holding: node, height: height, size: head.size)
            while let tile = next, indices[tile] == nil {
                missing.append(tile)
                next = Self.parent(of: tile, size: head.size)
            }
            for tile in missing.reversed() { plan(tile) }
        }
        self.head = head
        self.nodes = nodes
        self.height = height
        self.tiles = tiles
        self.indices = indices
        self.peaks = peaks
    }

    /// The hashes of the plan's nodes, once all tiles proved to belong to the signed tree.
    ///
    /// - Parameter data: the bytes of `tiles`, in their order.
    /// - Throws: `SumDBError.wrongTileSize` or `.inconsistentTiles`; then no tile is to be trusted.
    func authenticate(_ data: [[UInt8]]) throws(SumDBError) -> [TreeHash] {
        precondition(data.count == tiles.count, "there is data for every tile of the plan")
        for (tile, bytes) in zip(tiles, data) where bytes.count != tile.byteCount {
            throw .wrongTileSize(tile, found: bytes.count)
        }
        var peakHashes: [TreeHash] = []
        for peak in peaks { peakHashes.append(try hash(of: peak, in: data)) }
        guard TreeNode.fold(peakHashes) == head.hash else { throw .inconsistentTiles(size: head.size) }
        for index in peakTileCount..<max(peakTileCount, tiles.count) {
            let tile = tiles[index]
            guard let level = tile.level else { throw .inconsistentTiles(size: head.size) }
            let root = TreeNode(level: (level + 1) * height, number: tile.number)
            guard try hash(of: root, in: data) == Self.hash(data[index][...]) else {
                throw .inconsistentTiles(size: head.size)
            }
        }
        var hashes: [TreeHash] = []
        for node in nodes { hashes.append(try hash(of: node, in: data)) }
        return hashes
    }

    private func hash(of node: TreeNode, in data: [[UInt8]]) throws(SumDBError) -> TreeHash {
        guard let tile = Self.tile(holding: node, height: height, size: head.size), let index = indices[tile]
        else {
            throw .inconsistentTiles(size: head.size)
        }
        let levelInTile = Int64(node.level % height)
        let start = Int((node.number << levelInTile) - (tile.number << Int64(height))) * TreeHash.byteCount
        let end = start + TreeHash.byteCount << Int(levelInTile)
        guard end <= data[index].count else { throw .inconsistentTiles(size: head.size) }
        return Self.hash(data[index][start..<end])
    }

    /// The hash over a power of two of neighbouring hashes.
    private static func hash(_ bytes: ArraySlice<UInt8>) -> TreeHash {
        if let hash = TreeHash(bytes) { return hash }
        let middle = bytes.startIndex + bytes.count / 2
        return .node(hash(bytes[..<middle]), hash(bytes[middle...]))
    }

    /// The tile that holds the hash, or the hashes it is made of, as wide as the tree allows.
    private static func tile(holding node: TreeNode, height: Int, size: Int64) -> Tile? {
        let levelInTile = node.level % height
        return widest(
            height: height, level: node.level / height,
            number: (node.number << Int64(levelInTile)) >> Int64(height),
            size: size)
    }

    private static func parent(of tile: Tile, size: Int64) -> Tile? {
        guard let level = tile.level else { return nil }
        return widest(
            height: tile.height, level: level + 1, number: tile.number >> Int64(tile.height), size: size)
    }

    private static func widest(height: Int, level: Int, number: Int64, size: Int64) -> Tile? {
        let hashes = level * height < 63 ? size >> Int64(level * height) : 0
        let width = min(1 << Int64(height), hashes - number << Int64(height))
        return width > 0 ? Tile(trusted: height, level, number, Int(width)) : nil
    }
}
