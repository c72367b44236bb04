extension ChunkStore {
    /// Rewrites the sealed packs of which too much is dead and drops those of which all is.
    ///
    /// Records are moved in steps; a crash between two leaves some in the old pack, some in the new one.
    /// - Returns: bytes that came back.
    @discardableResult
    public func rewritePacks() async throws -> Int64 { try await parts.rewritePacks(sealing: false) }
}

extension StoreParts {
    /// A sealed pack is rewritten when more than this share of it is dead.
    static let deadShare = 0.3
    /// Bytes of records that are moved in one step, so that other writers get their turn.
    private static let stepBytes: Int64 = 4 << 20

    /// As `ChunkStore.rewritePacks`.
    /// - Parameter sealing: the open pack counts too: it is sealed first when too much of it is dead.
    func rewritePacks(sealing: Bool) async throws -> Int64 {
        var freed: Int64 = 0
        for pack in try await readers.read({ try $0.packs() }) where pack.sealed || sealing {
            let body = max(1, pack.length - Int64(PackWriter.headerCount))
            guard Double(body - pack.live) > Self.deadShare * Double(body) else { continue }
            if !pack.sealed { try await sealOpenPack() }
            freed += try await rewrite(pack)
        }
        return freed
    }

    private func sealOpenPack() async throws {
        try await writer.perform(prepare: { $0.sealPack() }, apply: { _, _ in })
    }

    private func rewrite(_ pack: PackRow) async throws -> Int64 {
        while true {
            let step = try await readers.read { connection -> [(id: Int64, place: RecordPlace)] in
                var bytes: Int64 = 0
                return try connection.records(ofPack: pack.id).prefix { record in
                    defer { bytes += record.place.length }
                    return bytes < Self.stepBytes
                }
            }
            if step.isEmpty { break }
            try await move(step)
        }
        let dropped = try await writer.transaction { stage in
            // Appended to between the look at it and its sealing.
            guard let pack = try stage.connection.packs().first(where: { $0.id == pack.id }), pack.sealed
            else {
                return false
            }
            guard try stage.connection.records(ofPack: pack.id).isEmpty else { return false }
            try stage.dropPack(pack)
            return true
        } visible: { dropped in
            if dropped { self.events.send(.packRewritten(freed: pack.length - pack.live)) }
        }
        return dropped ? pack.length - pack.live : 0
    }

    /// Copies records to the open pack and lets their rows point there.
    private func move(_ records: [(id: Int64, place: RecordPlace)]) async throws {
        let copies = try await pool.run {
            try records.map { record in
                (id: record.id, place: record.place, bytes: try self.packFiles.bytesIfThere(record.place))
            }
        }
        try await writer.perform(
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
