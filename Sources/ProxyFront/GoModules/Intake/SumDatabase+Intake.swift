import Content

extension SumDatabase {
    /// Takes in records that somebody else brings, each proven to be in a tree that the database signed and that
    /// continues every tree seen before; the tiles that prove them are kept with them.
    func absorb(_ material: any SumMaterial) async -> SumIntake {
        let tiles: BorrowedTiles.Read = { await material.tile($0) }
        return await source.borrowed.lending(tiles) {
            var intake = SumIntake()
            var arrivals: [Arrival] = []
            for module in material.modules {
                if await shelf.lookup(module) != nil {
                    intake.held += 1
                    continue
                }
                do {
                    arrivals.append(
                        try Arrival(
                            module, try await material.lookup(module), head: material.head,
                            verifier: configuration.verifier))
                } catch {
                    intake.refused.append("\(configuration.name): \(module): \(error)")
                }
            }
            for arrival in await ordered(arrivals, tiles: tiles) {
                do {
                    try await take(arrival)
                    intake.kept += 1
                } catch {
                    intake.refused.append(
                        "\(configuration.name): \(arrival.module): \(Self.words(of: failure(error)))")
                }
            }
            await advance()
            return intake
        }
    }

    private struct Arrival {
        let module: ModuleIdentity
        let lookup: SumDBLookup
        let head: SignedTreeHead

        init(_ module: ModuleIdentity, _ answer: [UInt8], head common: [UInt8]?, verifier: NoteVerifier)
            throws
        {
            self.module = module
            let given = try SumDBLookup(parsing: answer)
            let shared = try common.map { try SignedTreeHead(parsing: $0, verifier: verifier) }
            if let shared, given.record < shared.size {
                head = shared
                lookup = try SumDBLookup(parsing: given.answer(with: shared))
            } else {
                head = try SignedTreeHead(parsing: given.note, verifier: verifier)
                lookup = given
            }
        }

        private init(_ module: ModuleIdentity, _ lookup: SumDBLookup, _ head: SignedTreeHead) {
            self.module = module
            self.lookup = lookup
            self.head = head
        }

        /// The same record to be proven under another head; nil when that one does not reach up to it.
        func moved(to head: SignedTreeHead) -> Arrival? {
            guard lookup.record < head.size, let lookup = try? SumDBLookup(parsing: lookup.answer(with: head))
            else { return nil }
            return Arrival(module, lookup, head)
        }
    }

    /// In which order, and under which heads, most of the records can be proven by the tiles at hand.
    ///
    /// All under the newest head is how a bundle comes, and a cache that was filled at one go. One that was filled over
    /// the years holds for each record the tiles of its own time, and those that lead from each head to the next.
    private func ordered(_ arrivals: [Arrival], tiles read: @escaping BorrowedTiles.Read) async -> [Arrival] {
        let ascending = arrivals.sorted { $0.head.size < $1.head.size }
        guard let newest = ascending.last?.head else { return [] }
        let joint = ascending.map { $0.moved(to: newest) ?? $0 }
        var held = TilesAtHand(shelf: shelf.tiles, read: read)
        guard await count(joint, &held) < count(ascending, &held) else { return joint }
        return ascending
    }

    /// How many of the records can be proven one after the other, nobody being asked.
    private func count(_ arrivals: [Arrival], _ held: inout TilesAtHand) async -> Int {
        var known = client.head
        var count = 0
        for arrival in arrivals {
            if let older = known, older.size < arrival.head.size {
                let steps = SumDBCache.tiles(for: arrival.head.head, records: [], olderSizes: [older.size])
                guard await held.hasAll(steps) else { continue }
            }
            if arrival.head.size > known?.size ?? -1 { known = arrival.head }
            let proof = SumDBCache.tiles(
                for: arrival.head.head, records: [arrival.lookup.record], olderSizes: [])
            if await held.hasAll(proof) { count += 1 }
        }
        return count
    }

    /// Which tiles need not be fetched.
    private struct TilesAtHand {
        let shelf: TileShelf
        let read: BorrowedTiles.Read
        private var seen: [Tile: Bool] = [:]

        init(shelf: TileShelf, read: @escaping BorrowedTiles.Read) {
            self.shelf = shelf
            self.read = read
        }

        mutating func hasAll(_ tiles: [Tile]) async -> Bool {
            for tile in tiles {
                var isHere = seen[tile] ?? shelf.holds(tile)
                if seen[tile] == nil, !isHere { isHere = await read(tile) != nil }
                seen[tile] = isHere
                if !isHere { return false }
            }
            return true
        }
    }

    private func take(_ arrival: Arrival) async throws {
        try await client.merge(arrival.head.note)
        _ = try await client.prove(arrival.lookup, of: arrival.module, under: arrival.head)
        try await shelf.keep(arrival.lookup, of: arrival.module)
        cache.withLock { cache in
            cache.insert(record: arrival.lookup.record)
            cache.offer(arrival.head)
        }
    }

    private static func words(of failure: SumDatabaseFailure) -> String {
        switch failure {
        case .upstream(let failure): "a tile that proves it is lacking: \(failure)"
        case .invalid(let reason), .store(let reason): reason
        }
    }

    /// The store's names of what proves the records of `modules` to a client that knows nothing, as far as it is
    /// held: lookups, tiles, and the head that they are proven under.
    func names(proving modules: [ModuleIdentity]) async -> [ReferenceName] {
        let (served, sizes) = cache.withLock { ($0.served, $0.servedSizes) }
        var lookups: [ReferenceName] = []
        var tiles: Set<TileShelf.Place> = []
        var records: [Int64] = []
        for module in modules {
            guard let lookup = await shelf.lookup(module),
                let name = try? SumDatabaseShelf.lookupName(configuration.name, module)
            else { continue }
            lookups.append(name)
            if let served, lookup.record < served.size {
                records.append(lookup.record)
            } else if let own = try? SignedTreeHead(parsing: lookup.note, verifier: configuration.verifier) {
                let needed = SumDBCache.tiles(for: own.head, records: [lookup.record], olderSizes: [])
                tiles.formUnion(needed.map { TileShelf.Place($0) })
            }
        }
        guard !lookups.isEmpty else { return [] }
        let shelf = shelf.tiles
        var names = lookups
        if let served {
            // With those that lead there from the heads served before, for targets that have had a bundle already.
            let needed = SumDBCache.tiles(for: served.head, records: records, olderSizes: sizes)
            tiles.formUnion(needed.filter { shelf.holds($0) }.map { TileShelf.Place($0) })
            if let name = try? ReferenceName("sumdb/\(configuration.name)/served") { names.append(name) }
        }
        for place in tiles {
            if let name = try? ReferenceName("sumdb/\(configuration.name)/\(place.path)") {
                names.append(name)
            }
        }
        return names.sorted { $0.text < $1.text }
    }
}

extension SumDatabases {
    /// Takes in what somebody brings of one database.
    /// - Returns: nil when no such database is configured.
    package func absorb(_ material: any SumMaterial) async -> SumIntake? {
        await databases.first { $0.configuration.name == material.database }?.absorb(material)
    }

    /// The store's names of everything held that proves the sums of `modules`.
    package func names(proving modules: [ModuleIdentity]) async -> [ReferenceName] {
        var names: [ReferenceName] = []
        for database in databases {
            let covered = modules.filter { self.database(for: $0.path) === database }
            names += await database.names(proving: covered)
        }
        return names
    }

    /// The sums that a held record gives for a module; nil when there is no record. Asks nobody.
    func held(_ module: ModuleIdentity) async -> [GoSumLine]? {
        await database(for: module.path)?.shelf.lookup(module)?.lines(about: module)
    }
}

extension TileShelf {
    /// The hashes of `tile` out of those of the widest tile of its place, as both the shelf and bundles keep them.
    package static func part(_ tile: Tile, of widest: [UInt8]) -> [UInt8]? { cut(tile, from: widest) }
}
