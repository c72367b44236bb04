extension ChunkStore {
    /// A sealed pack is rewritten when more than this share of it is dead.
    static let deadShare = 0.3
    /// Bytes of records that are moved in one step, so that other writers get their turn.
    private static let stepBytes: Int64 = 4 << 20

    /// Rewrites the sealed packs of which too much is dead and drops those of which all is.
    ///
    /// Records are moved in steps; a crash between two leaves some in the old pack, some in the new one.
    /// - Returns: bytes that came back.
    @discardableResult
    public func rewritePacks() async throws -> Int64 {
        var freed: Int64 = 0
        for pack in try await parts.readers.read({ try $0.packs() }) where pack.sealed {
            let body = max(1, pack.length - Int64(PackWriter.headerCount))
            guard Double(body - pack.live) > Self.deadShare * Double(body) else { continue }
            freed += try await rewrite(pack)
        }
        return freed
    }

    private func rewrite(_ pack: PackRow) async throws -> Int64 {
        while true {
            let step = try await parts.readers.read { connection -> [(id: Int64, place: RecordPlace)] in
                var bytes: Int64 = 0
                return try connection.records(ofPack: pack.id).prefix { record in
                    defer { bytes += record.place.length }
                    return bytes < Self.stepBytes
                }
            }
            if step.isEmpty { break }
            try await move(step)
        }
        let parts = parts
        let dropped = try await parts.writer.transaction { stage in
            guard try stage.connection.records(ofPack: pack.id).isEmpty else { return false }
            try stage.dropPack(pack)
            return true
        } visible: { dropped in
            if dropped { parts.events.send(.packRewritten(freed: pack.length - pack.live)) }
        }
        return dropped ? pack.length - pack.live : 0
    }

    /// Copies records to the open pack and lets their rows point there.
    private func move(_ records: [(id: Int64, place: RecordPlace)]) async throws {
        let parts = parts
        let copies = try await parts.pool.run {
            try records.map { record in
                (id: record.id, place: record.place, bytes: try parts.packFiles.bytesIfThere(record.place))
            }
        }
        try await parts.writer.perform(
            cost: copies.reduce(0) { $0 + ($1.bytes?.count ?? 0) },
            prepare: { stage in
                try copies.map { copy in
                    // Whatever a damaged record holds moves as it is: its reader finds out and drops it.
                    (copy.id, copy.place, try stage.append(copy.bytes ?? []))
                }
            },
            apply: { stage, moved in
                for (id, old, new) in moved where try stage.connection.record(id) == old {
                    try stage.connection.moveRecord(id, to: new)
                }
            })
    }
}
