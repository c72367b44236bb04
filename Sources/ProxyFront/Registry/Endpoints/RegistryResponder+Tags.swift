import ChunkStore
import Content

/// `tags/list`
extension RegistryResponder {
    private struct Wire: Encodable {
        let name: String
        let tags: [String]
    }

    func tags(_ page: Page, _ visit: RegistryVisit) async throws(RegistryError) -> Response {
        try await obey(.image(visit.repository, tag: nil, digest: nil))
        let (source, repository) = (source, visit.repository)
        let outcome = await list(repository.tagsName, type: "text/plain", visit) {
            identity async throws(UpstreamFailure) in
            let list = try await source.tags(of: repository, as: identity)
            // What is no tag cannot be asked for, and must not break the list's form.
            let tags = list.elements.filter { (try? Tag($0)) != nil }
            return HeldList(
                bytes: Array(tags.joined(separator: "\n").utf8), access: list.access, origin: list.origin)
        }
        let (tags, stale): ([String], RegistryAnswers.Staleness?)
        switch outcome {
        case .fresh(let bytes): (tags, stale) = (Self.tags(bytes), nil)
        case .away(let last, let staleness):
            let held = await heldTags(visit)
            guard last != nil || !held.isEmpty else {
                throw RegistryError(
                    .serviceUnavailable, .unavailable,
                    "nothing of \(repository) is held here: \(staleness.reason)",
                    headers: ["Retry-After": "5"])
            }
            (tags, stale) = (Array(Set(Self.tags(last ?? [])).union(held)), staleness)
        case .failed(let failure):
            throw RegistryFailures.answer(
                failure, visit.wanted(.list, "\(repository)"), refusal: visit.privacyError)
        }
        let (entries, hasMore) = page.cut(tags)
        var headers = Headers()
        stale?.mark(&headers)
        if hasMore, let last = entries.last {
            headers.add(
                "Link",
                page.link(path: visit.request.target, after: last, namespace: visit.asked.namespace))
        }
        return RegistryAnswers.json(Wire(name: visit.asked.path, tags: entries), headers: headers)
    }

    private static func tags(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The tags whose manifest is held, as far as this client may have it.
    private func heldTags(_ visit: RegistryVisit) async -> [String] {
        let prefix = "oci/\(visit.repository):"
        do {
            return try await delivery.store.references(prefix: prefix)
                .filter { isOpen($0, to: visit) }
                .map { String($0.name.text.dropFirst(prefix.count)) }
        } catch {
            logger.error("the tags held of \(visit.repository) cannot be listed: \(error)")
            return []
        }
    }
}
