public import ChunkStore
public import Content

extension ChunkStore {
    /// Has the pin of an image keep what it is made of: the manifests that its index lists, their configurations
    /// and layers, whichever of them are held now or later.
    public func keepPinnedImagesWhole() {
        setPinReach { [weak self] pinned in await self?.contents(ofImages: pinned) ?? [] }
    }

    /// Everything that the manifests among `references` list, through every index that is held.
    public func contents(ofImages references: [Reference]) async -> Set<Digest> {
        var reached: Set<Digest> = []
        var read: Set<Digest> = []
        var waiting = references.filter(\.isManifest).map(\.digest)
        while let digest = waiting.popLast() {
            guard read.insert(digest).inserted, let object = try? await object(digest),
                object.size <= Manifest.limit, let bytes = await object.allBytes(),
                let manifest = try? Manifest(parsing: bytes)
            else { continue }
            for child in manifest.children {
                reached.insert(child.digest)
                if MediaType.isManifest(child.mediaType) { waiting.append(child.digest) }
            }
        }
        return reached
    }
}

extension Reference {
    /// Whether it is a tag of an image, or a link to a manifest.
    fileprivate var isManifest: Bool {
        name.text.hasPrefix(Repository.prefix) && contentType != MediaType.octets
    }
}
