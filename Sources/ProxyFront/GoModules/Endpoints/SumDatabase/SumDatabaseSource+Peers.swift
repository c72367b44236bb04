import Content
import PeerExchange

/// Lookups and tiles that other nodes hold: as suspect as any other until they are proven, and each lookup brings the
/// head that its node believes, which is held against the one known here.
extension SumDatabaseSource {
    func givenLookup(_ module: ModuleIdentity) async -> PeerFile? {
        guard let name = try? SumDatabaseShelf.lookupName(name, module) else { return nil }
        return await given(name, limit: SumDBLookup.maximumByteCount)
    }

    /// The hashes of a tile, cut from the widest one of its place that a peer holds.
    func givenTile(_ tile: Tile) async -> [UInt8]? {
        let place = TileShelf.Place(tile)
        guard let name = try? ReferenceName("sumdb/\(name)/\(place.path)"),
            let file = await given(name, limit: 16 << 20)
        else { return nil }
        return TileShelf.cut(tile, from: file.bytes)
    }

    private func given(_ name: ReferenceName, limit: Int) async -> PeerFile? {
        guard Self.asksPeers, let peers else { return nil }
        return await peers.whole(ContentAsk(.reference(name)), limit: limit)
    }
}
