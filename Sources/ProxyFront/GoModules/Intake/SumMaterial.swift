/// Records and tiles of one checksum database from elsewhere than the database: a bundle, a module cache. Nothing of
/// it is believed before it is proven.
package protocol SumMaterial: Sendable {
    /// The database's name, as in `/sumdb/<name>/`.
    var database: String { get }
    /// The modules whose lookups are there.
    var modules: [ModuleIdentity] { get }
    /// The signed head that the tiles prove the lookups under; nil where each lookup carries its own.
    var head: [UInt8]? { get }
    /// The answer to a lookup, with a signed head.
    func lookup(_ module: ModuleIdentity) async throws -> [UInt8]
    /// The hashes of a tile, cut from a wider one if need be; nil when it is not there.
    func tile(_ tile: Tile) async -> [UInt8]?
}

/// What became of a database's records.
package struct SumIntake: Sendable, Equatable {
    /// Proven and kept.
    package var kept = 0
    /// Known before.
    package var held = 0
    /// Why the others were not taken, a line each.
    package var refused: [String] = []
}
