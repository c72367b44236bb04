/// The tiles that are held: of each place in the tree the widest, from which narrower ones are cut.
public struct TileShelf: Sendable {
    /// Where a tile stands, whatever its width.
    public struct Place: Hashable, Sendable {
        public let height: Int
        public let level: Int?
        public let number: Int64

        public init(_ tile: Tile) {
            height = tile.height
            level = tile.level
            number = tile.number
        }

        /// The name under which the widest tile of the place is kept: the path of the full tile.
        public var path: String { Tile(trusted: height, level, number, 1 << height).path }
    }

    private var widths: [Place: Int] = [:]

    public init() {}

    /// - Parameter tiles: what is held, in any order.
    public init(holding tiles: some Sequence<Tile>) {
        for tile in tiles { keep(tile) }
    }

    /// Notes that a tile is held. False when one as wide was held already, so that it need not be stored.
    @discardableResult
    public mutating func keep(_ tile: Tile) -> Bool {
        let place = Place(tile)
        guard tile.width > widths[place] ?? 0 else { return false }
        widths[place] = tile.width
        return true
    }

    public mutating func remove(_ place: Place) { widths[place] = nil }

    /// The tile that is held and holds `tile`, nil when there is none. Tiles of records are held only as
    /// they are.
    public func holder(of tile: Tile) -> Tile? {
        guard let width = widths[Place(tile)], tile.level == nil ? width == tile.width : width >= tile.width
        else {
            return nil
        }
        return tile.resized(to: width)
    }

    public func holds(_ tile: Tile) -> Bool { holder(of: tile) != nil }

    /// The hashes of `tile`, cut from those of a wider tile of its place; nil when there are too few.
    public static func cut(_ tile: Tile, from hashes: [UInt8]) -> [UInt8]? {
        guard let count = tile.byteCount, hashes.count >= count else { return nil }
        return Array(hashes.prefix(count))
    }
}
