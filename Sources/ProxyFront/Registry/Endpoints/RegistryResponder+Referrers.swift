import ChunkStore
import Content

/// `referrers/<digest>`
extension RegistryResponder {
    func referrers(
        of digest: Digest, type: String?, _ visit: RegistryVisit
    ) async throws(RegistryError) -> Response {
        try await obey(.image(visit.repository, tag: nil, digest: digest))
        let (source, repository) = (source, visit.repository)
        let outcome = await list(repository.referrersName(of: digest), type: MediaType.index, visit) {
            identity async throws(UpstreamFailure) in
            let list = try await source.referrers(of: digest, in: repository, as: identity)
            return HeldList(
                bytes: RegistryJSON.encode(ReferrersIndex(list.elements)), access: list.access,
                origin: list.origin)
        }
        let (found, stale): ([Descriptor], RegistryAnswers.Staleness?)
        switch outcome {
        case .fresh(let bytes): (found, stale) = (Self.descriptors(bytes), nil)
        case .away(let last, let staleness):
            var all = last.map(Self.descriptors) ?? []
            for held in await heldReferrers(of: digest, visit)
            where !all.contains(where: { $0.digest == held.digest }) { all.append(held) }
            (found, stale) = (all, staleness)
        case .failed(.upstream(.refused(let refusal))) where refusal.isNotFound:
            // The endpoint never says 404: nothing refers to what is not there.
            (found, stale) = ([], nil)
        case .failed(let failure):
            throw RegistryFailures.answer(
                failure, visit.wanted(.list, "\(repository)@\(digest)"), refusal: visit.privacyError)
        }
        var headers = Headers()
        stale?.mark(&headers)
        if type != nil { headers.add("OCI-Filters-Applied", "artifactType") }
        return RegistryAnswers.json(
            ReferrersIndex(found.filter { type == nil || $0.artifactType == type }), type: MediaType.index,
            headers: headers)
    }

    private static func descriptors(_ bytes: [UInt8]) -> [Descriptor] {
        // They were written here.
        (try? Manifest(parsing: bytes))?.manifests ?? []
    }

    /// The held manifests whose subject is `digest`, as far as this client may have them.
    private func heldReferrers(of digest: Digest, _ visit: RegistryVisit) async -> [Descriptor] {
        do {
            var found: [Descriptor] = []
            let references = try await delivery.store.references(
                prefix: visit.repository.subjectPrefix(digest))
            for reference in references where isOpen(reference, to: visit) {
                guard let bytes = try await delivery.store.object(reference.digest)?.allBytes(),
                    let manifest = try? Manifest(parsing: bytes)
                else { continue }
                found.append(
                    Descriptor(
                        mediaType: reference.contentType ?? MediaType.manifest, digest: reference.digest,
                        size: reference.size,
                        artifactType: manifest.artifactType ?? manifest.config?.mediaType,
                        annotations: manifest.annotations))
            }
            return found
        } catch {
            logger.error("what refers to \(visit.repository)@\(digest) cannot be listed: \(error)")
            return []
        }
    }
}
