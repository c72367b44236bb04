import ProxyFront
import Testing

@Suite struct TileTests {
    @Test(
        arguments: [
            ("tile/8/0/000", 8, 0, 0, 256), ("tile/8/0/001", 8, 0, 1, 256), ("tile/8/1/999", 8, 1, 999, 256),
            ("tile/8/0/x001/000", 8, 0, 1000, 256), ("tile/8/0/x001/x234/067", 8, 0, 1_234_067, 256),
            ("tile/8/0/x001/x234/067.p/1", 8, 0, 1_234_067, 1), ("tile/4/0/001.p/15", 4, 0, 1, 15),
            ("tile/8/data/x036/611.p/239", 8, nil, 36611, 239), ("tile/8/2/000.p/143", 8, 2, 0, 143),
            ("tile/30/0/000.p/5", 30, 0, 0, 5),
        ] as [(String, Int, Int?, Int64, Int)])
    func `a tile's path is read and written`(
        path: String, height: Int, level: Int?, number: Int64, width: Int
    ) throws {
        let tile = try #require(Tile(path: path))
        #expect(tile == Tile(height: height, level: level, number: number, width: width))
        #expect(tile.path == path)
        #expect(tile.isFull == !path.contains(".p/"))
        #expect(tile.byteCount == (level == nil ? nil : 32 * width))
    }

    @Test(arguments: [
        "", "tile", "tile/8/0", "tile/8/0/", "tile/8/0/0", "tile/8/0/1000", "tile/8/0/x000/001",
        "tile/8/0/001/002",
        "tile/8/0/x001/2", "tile/8/0/000.p/0", "tile/8/0/000.p/256", "tile/8/0/000.p/01", "tile/8/0/000.p",
        "tile/8/0/000.p/",
        "tile/08/0/000", "tile/0/0/000", "tile/31/0/000", "tile/8/00/000", "tile/8/-1/000", "tile/8/63/000",
        "tile/8/x/000",
        "tile/+8/0/000", "tile/8/+0/000", "tile/8/0/+00", "tile/8/0/-01", "tile/8/0/x001/x001",
        "tile/8/0/000.p/+1",
        "/tile/8/0/000", "tile/8/0/000/", "tile//8/0/000", "Tile/8/0/000", "tile/8/Data/000", "tile/8/0/٠٠٠",
        "tile/8/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/8/0/" + String(repeating: "x001/", count: 2000) + "001",
    ])
    func `anything but the one name of a tile is refused`(path: String) {
        #expect(Tile(path: path) == nil)
    }
}
