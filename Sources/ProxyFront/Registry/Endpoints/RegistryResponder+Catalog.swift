import ChunkStore
import Content

/// `_catalog`: not of the specification, but what user interfaces and monitors ask for (the distribution project's
/// "Listing Repositories").
extension RegistryResponder {
    private struct Wire: Encodable {
        let repositories: [String]
    }

    func catalog(_ page: Page, _ asked: RegistryRequest, _ admission: Admission) async -> Response {
        var prefix = Repository.prefix
        do throws(RegistryError) {
            if let namespace = asked.namespace { prefix += "\(try registry(namespace))/" }
        } catch {
            return error.response
        }
        let repositories: [String]
        do {
            repositories = try await held(prefix: prefix, includesPrivate: admission.includesPrivate)
        } catch {
            logger.error("the repositories held cannot be listed: \(error)")
            return RegistryError(.internalServerError, .unknown, "the repositories held cannot be listed")
                .response
        }
        let shown = asked.namespace == nil ? Repository.prefix : prefix
        let (entries, hasMore) = page.cut(repositories.map { String($0.dropFirst(shown.utf8.count)) })
        var headers = Headers()
        if hasMore, let last = entries.last {
            headers.add("Link", page.link(path: "/v2/_catalog", after: last, namespace: asked.namespace))
        }
        return RegistryAnswers.json(Wire(repositories: entries), headers: headers)
    }

    /// `oci/<host>/<name>` of every repository of which a tag or a digest is held. Two names of each are looked
    /// at, however many it has.
    private func held(prefix: String, includesPrivate: Bool) async throws -> [String] {
        let references = try await delivery.store.references(prefix: prefix) { reference in
            guard let place = RepositoryPlace(reference.name.text) else { return nil }
            // Tags come before digests, and no character of a name comes after `@` and before `A`.
            return place.isTag ? place.repository + "@" : place.repository + "A"
        }
        var repositories: [String] = []
        for reference in references where includesPrivate || reference.access == .public {
            guard let place = RepositoryPlace(reference.name.text), repositories.last != place.repository
            else {
                continue
            }
            repositories.append(place.repository)
        }
        return repositories
    }
}
