import ChunkStore
import Content
import ProxyFront

/// Finds everything that one image is made of.
struct ImageExport: Sendable {
    private static let maximumDepth = 8

    let store: ChunkStore
    let image: ImageReference
    let platforms: [Platform]
    let includesPrivate: Bool
    let isIncomplete: Bool

    func add(to plan: inout ExportPlan) async throws {
        let repository = image.repository
        var root: Reference?
        var tag: Reference?
        if let digest = image.digest {
            root = try await link(digest)
        } else if let name = image.tag {
            tag = try await store.reference(repository.referenceName(of: name))
            if let tag {
                // A tag whose manifest lost its link is as good as the link.
                root = try await link(tag.digest) ?? renamed(tag, repository.referenceName(of: tag.digest))
            }
        }
        guard let root, try await store.holding(root.digest) != nil else {
            return plan.refuse("\(image) is not held: edgenode warm \(image), or is it another name?")
        }
        guard root.access == .public || tag?.access == .public || includesPrivate else {
            return plan.refuse("\(image) is private: --include-private takes it along")
        }
        guard let place = try await add(root, depth: 0, to: &plan) else { return }
        if let tag { plan.add(tag, place: place) }
    }

    private func link(_ digest: Digest) async throws -> Reference? {
        guard let found = try await store.reference(image.repository.referenceName(of: digest)),
            try await store.holding(digest) != nil
        else { return nil }
        return found
    }

    private func renamed(_ reference: Reference, _ name: ReferenceName) -> Reference {
        var other = reference
        other.name = name
        return other
    }

    /// Adds a manifest behind what it lists.
    /// - Returns: its place among the objects; nil when it cannot be had whole.
    private func add(_ root: Reference, depth: Int, to plan: inout ExportPlan) async throws -> Int? {
        guard depth <= Self.maximumDepth, let object = try await store.object(root.digest),
            let manifest = try? Manifest(parsing: try await object.wholeBytes(atMost: Manifest.limit))
        else {
            plan.refuse("\(image): \(root.digest) is no manifest that can be read")
            return nil
        }
        var place = ExportPlan.Place.manifest
        let chosen = try await chosen(manifest, to: &plan)
        for child in chosen {
            guard let link = try await link(child.digest) else {
                // Foreign layers are had from elsewhere.
                if child.urls.isEmpty, !isIncomplete {
                    plan.refuse("\(image): \(words(for: child)) is not held")
                }
                continue
            }
            guard link.access == .public || includesPrivate else {
                plan.refuse("\(image): \(words(for: child)) is private: --include-private takes it along")
                continue
            }
            if MediaType.isManifest(child.mediaType) {
                if let below = try await add(link, depth: depth + 1, to: &plan) {
                    place = max(place, below + 1)
                }
            } else {
                plan.add(link, place: ExportPlan.Place.blob)
            }
        }
        plan.add(root, place: place)
        try await addReferrers(of: root.digest, depth: depth, place: place, to: &plan)
        for child in manifest.children {
            var part = root
            part.name = image.repository.partName(of: child.digest)
            plan.add(part, place: place)
        }
        return place
    }

    /// Signatures and the like that are held whole come along; what upstream has besides is not known here.
    private func addReferrers(
        of subject: Digest, depth: Int, place: Int, to plan: inout ExportPlan
    ) async throws {
        for name in try await store.references(prefix: image.repository.subjectPrefix(subject)) {
            guard let referrer = try await link(name.digest), referrer.access == .public || includesPrivate
            else {
                continue
            }
            var trial = plan
            let whole = try await add(referrer, depth: depth + 1, to: &trial)
            guard let whole, trial.refused.count == plan.refused.count else {
                plan.note(
                    "\(image): \(referrer.digest), which refers to it, is not held whole and not exported")
                continue
            }
            plan = trial
            plan.add(name, place: max(whole, place + 1))
        }
    }

    /// Those of what a manifest lists that are wanted.
    private func chosen(_ manifest: Manifest, to plan: inout ExportPlan) async throws -> [Descriptor] {
        guard !manifest.manifests.isEmpty else { return manifest.children }
        if !platforms.isEmpty {
            let found = manifest.manifests.filter { entry in
                entry.platform.map { platform in platforms.contains { $0.accepts(platform) } } ?? false
            }
            for platform in platforms
            where !manifest.manifests.contains(where: { $0.platform.map { platform.accepts($0) } ?? false }) {
                plan.refuse("\(image): there is none for \(platform)")
            }
            return found
        }
        var held: [Descriptor] = []
        for entry in manifest.manifests {
            if try await link(entry.digest) != nil {
                held.append(entry)
            } else {
                plan.note("\(image): \(words(for: entry)) is not held and not exported")
            }
        }
        if held.isEmpty, !isIncomplete {
            plan.refuse("\(image): none of its \(manifest.manifests.count) manifests is held")
        }
        return held
    }

    private func words(for descriptor: Descriptor) -> String {
        "\(descriptor.digest)" + (descriptor.platform.map { " (\($0))" } ?? "")
    }
}
