import ProxyFront

extension FuzzCheck {
    /// A tile has one name; and the tiles that prove records of a tree are within it, each named once, each
    /// full one behind the tile that holds its hash.
    func checkTile(_ bytes: [UInt8]) throws(FuzzViolation) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let tile = Tile(path: text) {
            try FuzzViolation.check(tile.path == text, "\(text) is read as \(tile)")
            try FuzzViolation.check(
                TileShelf(holding: [tile.full]).holds(tile) == (tile.level != nil || tile.isFull), "\(tile)")
        }
        let numbers = stride(from: 0, to: min(bytes.count, 24), by: 8).map { start in
            bytes[start..<min(start + 8, bytes.count)].reduce(Int64(0)) { $0 << 7 ^ Int64($1) }
        }
        guard let first = numbers.first else { return }
        let head = TreeHead(size: abs(first % (TreeHead.maximumSize + 1)), hash: .empty)
        let tiles = SumDBCache.tiles(
            for: head, records: numbers.dropFirst().map { abs($0) },
            olderSizes: numbers.suffix(1).map { abs($0) })
        try FuzzViolation.check(Set(tiles).count == tiles.count, "a tile is named twice")
        var seen = TileShelf()
        for tile in tiles {
            guard let level = tile.level else { throw FuzzViolation("\(tile) holds no hashes") }
            try FuzzViolation.check(Tile(path: tile.path) == tile, "\(tile) is not read again")
            let hashes = head.size >> Int64(level * 8)
            try FuzzViolation.check(
                tile.number << 8 + Int64(tile.width) <= hashes, "\(tile) is beyond \(head.size)")
            try FuzzViolation.check(
                tile.isFull || tile.number << 8 + Int64(tile.width) == hashes,
                "\(tile) is narrower than it could be")
            if tile.isFull,
                let parent = Tile(
                    height: 8, level: level + 1, number: tile.number >> 8, width: Int(tile.number & 255) + 1),
                hashes >> 8 > 0, !seen.holds(parent)
            {
                // Only a tile that holds a peak of the tree proves itself without its parent.
                let isPeak = tile.number << 8 + 256 == hashes && hashes.trailingZeroBitCount < 16
                try FuzzViolation.check(isPeak, "\(tile) comes before its parent")
            }
            seen.keep(tile)
        }
    }
}
