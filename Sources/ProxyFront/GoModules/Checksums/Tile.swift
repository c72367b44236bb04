/// The name of a tile: a run of neighbouring hashes of one level of a checksum database's tree, or of records
/// (golang.org/x/mod/sumdb/tlog, `Tile`; research.swtch.com/tlog, "Tiling a log").
public struct Tile: Hashable, Sendable, CustomStringConvertible {
    /// The tile's height in tree levels, 1...30; the public databases use 8.
    public let height: Int
    /// The level among tiles, 0 at the leaves; nil for a tile of records (`tile/8/data/...`).
    public let level: Int?
    /// The position within the level, from 0.
    public let number: Int64
    /// How many hashes it holds, 1...2^height; less than 2^height is a partial tile.
    public let width: Int

    /// The largest level and number accepted: beyond them no 63-bit tree has tiles.
    static let maximumLevel = 62
    static let maximumNumber = Int64.max >> 8

    /// Nil when a coordinate is out of bounds.
    public init?(height: Int, level: Int?, number: Int64, width: Int) {
        guard (1...30).contains(height), (0...Self.maximumLevel).contains(level ?? 0),
            (0...Self.maximumNumber).contains(number), width >= 1, width <= 1 << height
        else { return nil }
        self.height = height
        self.level = level
        self.number = number
        self.width = width
    }

    /// Parses `tile/<height>/<level or data>/[xNNN/...]NNN[.p/<width>]`; nil unless the text is the one way
    /// to write a tile's name.
    public init?(path: some StringProtocol) {
        guard path.utf8.count <= 64 else { return nil }
        var parts = path.split(separator: "/" as Character, omittingEmptySubsequences: false).map {
            String($0)
        }
        guard parts.count >= 4, parts[0] == "tile", let height = Int(parts[1]), (1...30).contains(height)
        else {
            return nil
        }
        let level: Int?
        if parts[2] == "data" {
            level = nil
        } else {
            guard let number = Int(parts[2]) else { return nil }
            level = number
        }
        var width = 1 << height
        if parts.count > 4, parts[parts.count - 2].hasSuffix(".p") {
            guard let partial = Int(parts[parts.count - 1]), partial > 0, partial < width else { return nil }
            width = partial
            parts.removeLast()
            parts[parts.count - 1].removeLast(2)
        }
        var number: Int64 = 0
        for part in parts[3...] {
            guard let digits = Int64(part.hasPrefix("x") ? part.dropFirst() : part[...]), digits >= 0,
                digits < 1000,
                number <= Self.maximumNumber / 1000
            else { return nil }
            number = number * 1000 + digits
        }
        self.init(height: height, level: level, number: number, width: width)
        guard self.path == path else { return nil }
    }

    /// `tile/8/0/x001/x234/067.p/5`, the path under a database's base.
    public var path: String {
        func padded(_ number: Int64) -> String {
            let digits = String(number % 1000)
            return String(repeating: "0", count: 3 - digits.count) + digits
        }
        var name = padded(number)
        var rest = number / 1000
        while rest > 0 {
            name = "x\(padded(rest))/\(name)"
            rest /= 1000
        }
        let levelName = level.map(String.init) ?? "data"
        return "tile/\(height)/\(levelName)/\(name)" + (isFull ? "" : ".p/\(width)")
    }

    public var description: String { path }

    public var isFull: Bool { width == 1 << height }

    /// The full tile at the same place.
    public var full: Tile { resized(to: 1 << height) }

    /// How many bytes a tile of hashes has; nil for a tile of records.
    public var byteCount: Int? { level == nil ? nil : width * TreeHash.byteCount }

    /// The tile at the same place that holds `width` hashes.
    /// - Precondition: 1 <= width <= 2^height.
    func resized(to width: Int) -> Tile {
        precondition(width >= 1 && width <= 1 << height, "a tile's width lies within its height")
        return Tile(trusted: height, level, number, width)
    }

    init(trusted height: Int, _ level: Int?, _ number: Int64, _ width: Int) {
        self.height = height
        self.level = level
        self.number = number
        self.width = width
    }
}
