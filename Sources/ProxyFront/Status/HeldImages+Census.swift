public import ChunkStore

extension ChunkStore {
    /// What is held of each registry, by its name. Walks over every name of an image.
    public func heldImages() async throws -> [String: HeldImages] {
        let census = ImageCensus()
        try await visitNames(prefix: Repository.prefix) { name, blob, size in
            census.count(name, blob: blob, size: size)
        }
        return census.held
    }
}

/// Counts what it is shown, names in their order.
private final class ImageCensus: @unchecked Sendable {
    // Sendable: a walk calls `count` from one task, one name after another, and reads `held` after the last.
    private(set) var held: [String: HeldImages] = [:]
    private var repository = ""
    private var blobs: [String: Set<Int64>] = [:]

    func count(_ name: String, blob: Int64, size: Int64) {
        guard let place = RepositoryPlace(name) else { return }
        let registry = String(place.registry)
        if blobs[registry, default: []].insert(blob).inserted {
            held[registry, default: HeldImages()].bytes += size
        }
        if place.isTag { held[registry, default: HeldImages()].tags += 1 }
        guard place.repository != repository else { return }
        repository = place.repository
        held[registry, default: HeldImages()].repositories += 1
    }
}

extension NodeStatus.Registry {
    /// Its state, for people.
    public var words: String {
        var words = isAsked ? "up" : "not asked at present"
        if let rateLimitRemaining {
            words += ", \(rateLimitRemaining)" + (rateLimit.map { " of \($0)" } ?? "") + " requests left"
        }
        if let resumesInSeconds { words += ", asked for manifests again in \(resumesInSeconds) s" }
        return words
    }
}
