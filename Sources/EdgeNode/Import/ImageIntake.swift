import ChunkStore
import Content
import ProxyFront

/// Why a part of an image is not taken.
struct ImageRefusal: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Takes the manifests and blobs of images in, with the names that the registry endpoints find them by.
struct ImageIntake: Sendable {
    enum Outcome: Sendable, Equatable {
        case stored, held
    }

    let store: ChunkStore
    let audit: any AuditLog

    /// Takes one blob in, or sets its names when it is held.
    /// - Parameters:
    ///   - slice: its bytes; nil when the store holds it.
    ///   - references: names of images, and of nothing else.
    /// - Throws: `ImageRefusal` when a name does not fit the bytes; `StoreError.digestMismatch`; what the store throws.
    func take(
        _ digest: Digest, size: Int64, from slice: FileSlice?, references: [Reference],
        progress: @Sendable (Int64) -> Void
    ) async throws -> Outcome {
        try await check(references, of: digest, from: slice)
        var wanted: [Reference] = []
        for reference in references {
            if let merged = try await merged(reference) { wanted.append(merged) }
        }
        if let slice {
            let ingest = try await BlobIntake(store).copy(slice, expecting: digest, progress: progress)
            _ = try await ingest.publish(wanted)
        } else {
            for reference in wanted { try await store.setReference(reference) }
        }
        for reference in wanted where reference.name.text.hasPrefix(Repository.prefix) {
            audit.record(
                AuditEvent(.import, reference.name.text, origin: reference.origin, digest: "\(digest)"))
        }
        return slice == nil ? .held : .stored
    }

    private func check(_ references: [Reference], of digest: Digest, from slice: FileSlice?) async throws {
        var read: Listed?
        for reference in references {
            switch StoredImageName(reference.name) {
            case .link(_, let named):
                guard named == digest else {
                    throw ImageRefusal(
                        "\(reference.name): it is to point at \(digest), which is another blob")
                }
            case .part(_, let child):
                if read == nil { read = try await listed(by: digest, from: slice) }
                guard read?.children.contains(child) == true else {
                    throw ImageRefusal("\(reference.name): \(digest) does not list it")
                }
            case .subject(_, let subject, let named):
                if read == nil { read = try await listed(by: digest, from: slice) }
                guard named == digest, read?.subject == subject else {
                    throw ImageRefusal("\(reference.name): \(digest) does not refer to it")
                }
            case .tag:
                guard let type = reference.contentType, MediaType.isManifest(type) else {
                    throw ImageRefusal(
                        "\(reference.name): it points at something of the type "
                            + "\(reference.contentType ?? "none"), which is no manifest")
                }
            case nil: throw ImageRefusal("\(reference.name): that is no name of an image")
            }
        }
    }

    private struct Listed {
        var children: Set<Digest> = []
        var subject: Digest?
    }

    /// What a manifest lists; nothing when the bytes are none.
    private func listed(by digest: Digest, from slice: FileSlice?) async throws -> Listed {
        var bytes: [UInt8] = []
        if let slice {
            if slice.count <= Manifest.limit { bytes = try await FileBytes.read(slice) }
        } else if let object = try await store.object(digest), object.size <= Manifest.limit {
            bytes = try await object.wholeBytes(atMost: Manifest.limit)
        }
        guard let manifest = try? Manifest(parsing: bytes) else { return Listed() }
        return Listed(children: Set(manifest.children.map(\.digest)), subject: manifest.subject?.digest)
    }

    /// What the name is to stand for, given what it stands for now; nil when it stays as it is.
    private func merged(_ given: Reference) async throws -> Reference? {
        guard let held = try await store.reference(given.name) else { return given }
        if held.digest == given.digest {
            var merged = held
            if given.access == .public { merged.access = .public }
            merged.checked = max(held.checked, given.checked)
            return merged == held ? nil : merged
        }
        guard case .tag = StoredImageName(given.name) else { return nil }
        // A name never moves back in time on somebody else's word, and a pinned one not at all.
        guard given.checked > held.checked else { return nil }
        let pins = try await store.pins()
        return pins.contains { NamePattern($0).matches(given.name.text) } ? nil : given
    }
}
