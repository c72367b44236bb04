import ChunkStore
import Content
import Gossip
import PeerExchange

/// A module zip that a peer holds, put together from other versions of the module that are held here and from the chunks
/// that these lack (architecture section 8).
///
/// Nothing is believed for it: a chunk is taken, from here or there, when its bytes have its hash, and each piece of what
/// they make is held against the signed list before it is written, as pieces that come whole are.
struct ModuleDelta {
    /// Smaller zips are not worth a question more.
    private static let smallest: Int64 = 64 << 10
    /// Larger ones are not cut for it.
    private static let largestRelative: Int64 = 64 << 20
    /// What must be there already: less is brought faster by pieces.
    private static let share = 0.25
    /// Bytes of chunks asked for at once.
    private static let batch = 512 << 10
    /// Versions that are looked into: those just before, and the one after.
    private static let (before, after) = (2, 1)

    let ask: ContentAsk
    /// The zip that is wanted.
    private let wanted: ModuleFile
    let digest: Digest
    let size: Int64
    /// Who holds the zip, and signed the list of its pieces: nobody shall be blamed for another one's recipe.
    let node: NodeID
    /// Digests of all pieces.
    let pieces: [[UInt8]]
    let network: PeerNetwork
    let store: ChunkStore

    /// - Returns: nil for what is no module's zip, too small, or not held whole by the one who vouches for it.
    init?(
        _ ask: ContentAsk, _ transfer: PeerTransfer, at node: NodeID, _ network: PeerNetwork,
        _ store: ChunkStore
    ) {
        // By its name, or by its digest under that name where others' word says what it is.
        let name =
            switch ask.subject {
            case .reference(let name): name
            case .blob: ask.under
            }
        guard let wanted = name.flatMap({ ModuleFile($0) }), wanted.kind == .zip,
            transfer.size >= Self.smallest, let digest = transfer.facts.digest, transfer.signer == node,
            let pieces = transfer.wholeList()
        else { return nil }
        self.wanted = wanted
        (self.ask, self.digest, self.size, self.node) = (ask, digest, transfer.size, node)
        (self.pieces, self.network, self.store) = (pieces, network, store)
    }

    /// Bytes of a relative that a chunk of the new version is equal to.
    private struct Place {
        let object: StoredObject
        let range: Range<Int64>
    }

    /// Writes as much as it can into `ingest`: all of it, or what came until something failed.
    func fill(_ ingest: Ingest) async throws {
        let relatives = try await relatives()
        guard !relatives.isEmpty, let recipe = await network.recipe(of: digest, size: size, ask, at: node)
        else { return }
        var places: [ChunkID: Place] = [:]
        for relative in relatives { try await add(relative, to: &places) }
        let here = recipe.chunks.reduce(0) { sum, chunk in
            guard case .id(let id) = chunk.name, places[id] != nil else { return sum }
            return sum + chunk.length
        }
        guard Double(here) >= Double(size) * Self.share else { return }
        try await Assembly(self, recipe, places).write(into: ingest)
    }

    /// The versions nearest to the one that is wanted.
    private func relatives() async throws -> [Digest] {
        var held: [(ModuleVersion, Digest)] = []
        let prefix = "go/\(wanted.module.path.text)@"
        for reference in try await store.references(prefix: prefix, after: "", limit: 2000) {
            guard let file = ModuleFile(reference.name), file.kind == .zip, file != wanted else { continue }
            held.append((file.module.version, reference.digest))
        }
        held.sort { $0.0 < $1.0 }
        let lower = held.prefix { $0.0 < wanted.module.version }
        return (lower.suffix(Self.before) + held.dropFirst(lower.count).prefix(Self.after)).map(\.1)
    }

    private func add(_ relative: Digest, to places: inout [ChunkID: Place]) async throws {
        guard let object = try await store.object(relative), object.size <= Self.largestRelative,
            let recipe = try await store.travellingRecipe(of: relative)
        else { return }
        for (id, range) in try recipe.places() where places[id] == nil {
            places[id] = Place(object: object, range: range)
        }
    }

    /// One zip while it is put together.
    private struct Assembly {
        let delta: ModuleDelta
        let recipe: Recipe
        let places: [ChunkID: Place]
        /// Chunks that came from the peer and are used again further on.
        var fetched: [ChunkID: [UInt8]] = [:]
        var pending: [UInt8] = []
        var offset: Int64 = 0

        init(_ delta: ModuleDelta, _ recipe: Recipe, _ places: [ChunkID: Place]) {
            (self.delta, self.recipe, self.places) = (delta, recipe, places)
        }

        /// In the order of the blob, so that readers get the beginning first.
        func write(into ingest: Ingest) async throws {
            var work = self
            let layout = try RecipeLayout(
                chunks: recipe.chunks, entries: recipe.entries, segments: recipe.segments)
            for part in layout.parts {
                try Task.checkCancellation()
                if case .chunk(let number) = part {
                    work.pending += try await work.chunk(number)
                } else {
                    work.pending += recipe.bytes(of: part, layout)
                }
                while work.pending.count >= PeerExchange.pieceLength {
                    try await work.writePiece(into: ingest)
                }
            }
            if !work.pending.isEmpty { try await work.writePiece(into: ingest) }
        }

        private mutating func writePiece(into ingest: Ingest) async throws {
            let piece = Array(pending.prefix(Int(PeerExchange.pieceLength)))
            let number = Int(offset / PeerExchange.pieceLength)
            guard number < delta.pieces.count, offset + Int64(piece.count) <= delta.size,
                Digest(.sha256, of: piece).bytes == delta.pieces[number]
            else {
                delta.network.lied(
                    delta.node, what: "a recipe of \(delta.ask) that makes other bytes than its list says")
                throw PeerFailure.malformed("a recipe that makes other bytes")
            }
            try await ingest.write(piece, at: offset)
            offset += Int64(piece.count)
            pending.removeFirst(piece.count)
        }

        private mutating func chunk(_ number: Int) async throws -> [UInt8] {
            let chunk = recipe.chunks[number]
            guard case .id(let id) = chunk.name else {
                throw PeerFailure.malformed("a recipe without hashes")
            }
            if let place = places[id] {
                let bytes = try await place.object.read(place.range)
                if bytes.count == chunk.length, ChunkID(of: bytes) == id { return bytes }
            }
            if fetched[id] == nil { try await fetch(from: number) }
            // The same chunk may be listed again further on, and with another length by a liar.
            guard let bytes = fetched[id], bytes.count == chunk.length else {
                throw PeerFailure.malformed("a chunk is not as long as its recipe says")
            }
            return bytes
        }

        /// Brings the chunk of that number and the next ones that are lacking.
        private mutating func fetch(from number: Int) async throws {
            // What is not used again is not kept: everything before this chunk is written.
            var (wanted, seen, length) = ([ChunkID](), Set<ChunkID>(), 0)
            var again: Set<ChunkID> = []
            for (position, chunk) in recipe.chunks[number...].enumerated() {
                guard case .id(let id) = chunk.name, places[id] == nil || position == 0 else { continue }
                if fetched[id] != nil { again.insert(id) }
                guard fetched[id] == nil, !seen.contains(id) else { continue }
                guard wanted.isEmpty || length + chunk.length <= ModuleDelta.batch,
                    wanted.count < PeerRequest.chunkLimit
                else { break }
                seen.insert(id)
                wanted.append(id)
                length += chunk.length
            }
            fetched = fetched.filter { again.contains($0.key) }
            let chunks = try await delta.network.chunks(wanted, of: delta.digest, delta.ask, at: delta.node)
            for (id, bytes) in zip(wanted, chunks) { fetched[id] = bytes }
        }
    }
}
