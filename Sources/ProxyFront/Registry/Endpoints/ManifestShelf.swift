import ChunkStore
import Content
import Logging

/// A manifest in memory, proven to be what it was asked for as.
struct FetchedManifest: Sendable {
    let digest: Digest
    let bytes: [UInt8]
    let mediaType: String
    let access: AccessClass
    let origin: String
    /// The upstream that says what a tag stands for, when the bytes came from elsewhere.
    var tagOrigin: String?
    /// Another node gave the bytes.
    var isFromPeer = false
}

/// Manifests in the store, with everything that is said of them there (docs/registry.md, "Names in the store").
struct ManifestShelf: Sendable {
    let delivery: Delivery
    let logger: Logger

    private var store: ChunkStore { delivery.store }

    /// Stores a manifest, its link, the tag that stands for it, its parts and what it refers to, in one commit.
    /// One that cannot be stored is served all the same.
    func keep(_ manifest: FetchedManifest, in repository: Repository, tag: Tag?) async {
        var references = [reference(repository.referenceName(of: manifest.digest), to: manifest)]
        if let tag {
            var mutable = reference(repository.referenceName(of: tag), to: manifest)
            mutable.verified = .notApplicable
            mutable.origin = manifest.tagOrigin ?? manifest.origin
            references.append(mutable)
        }
        if let content = try? Manifest(parsing: manifest.bytes) {
            for child in Set(content.children.map(\.digest)).sorted() {
                references.append(reference(repository.partName(of: child), to: manifest))
            }
            if let subject = content.subject {
                let name = repository.subjectName(of: manifest.digest, subject: subject.digest)
                references.append(reference(name, to: manifest))
            }
        }
        do {
            try await store.keep(
                manifest.bytes, expecting: manifest.digest, references: references, sync: false)
            delivery.audit.record(.stored(references[0], digest: manifest.digest))
        } catch {
            logger.warning("\(references[0].name) is passed on without being stored: \(error)")
        }
    }

    private func reference(_ name: ReferenceName, to manifest: FetchedManifest) -> Reference {
        let now = delivery.clock.now
        return Reference(
            name: name, digest: manifest.digest, size: Int64(manifest.bytes.count), learned: now,
            checked: now,
            origin: manifest.origin, contentType: manifest.mediaType, verified: .verified,
            access: manifest.access)
    }

    /// Writes a reference to something held: a tag that was validated or moved, a link, a wider class.
    /// - Returns: the reference as it stands now.
    @discardableResult
    func set(_ reference: Reference) async -> Reference {
        do {
            // Visible when this returns: whoever asks next must not ask upstream again.
            try await store.setReference(reference)
        } catch {
            // It is asked for again sooner, or linked again; nothing else comes of it.
            logger.warning("\(reference.name) could not be written: \(error)")
        }
        return reference
    }

    /// A tag that upstream has no more.
    func forget(_ tag: Tag, of repository: Repository) async {
        let name = repository.referenceName(of: tag)
        do {
            guard try await store.removeReference(name) else { return }
            logger.notice("\(name) is gone upstream, and its name is dropped here")
        } catch {
            logger.error("\(name) is gone upstream, but could not be dropped: \(error)")
        }
    }

    /// The link of a repository to something that is held under another one.
    func link(
        _ digest: Digest, size: Int64, in repository: Repository, type: String, access: AccessClass,
        origin: String
    ) async -> Reference {
        let now = delivery.clock.now
        return await set(
            Reference(
                name: repository.referenceName(of: digest), digest: digest, size: size, learned: now,
                checked: now, origin: origin, contentType: type, verified: .verified, access: access))
    }

    /// What a held manifest says of one of its parts; nil when it cannot be read.
    func part(_ digest: Digest, listedBy reference: Reference) async -> Descriptor? {
        guard let object = try? await store.object(reference.digest), let bytes = await object.allBytes(),
            let manifest = try? Manifest(parsing: bytes)
        else { return nil }
        return manifest.children.first { $0.digest == digest }
    }
}

extension StoredObject {
    /// Everything; only for what is known to be small.
    func allBytes() async -> [UInt8]? {
        switch body {
        case .bytes(let bytes): bytes
        case .file(let file): try? await FileBytes.read(FileSlice(file: file, range: 0..<size))
        case .recipe(let reader): try? await reader.read(0..<size)
        }
    }
}
