/// A request to a registry before it is decided at which endpoint and with which login.
struct RegistryAsk: Sendable {
    /// What registries count apart.
    enum Kind: Hashable, Sendable, CaseIterable {
        /// GETs of manifests, which rate limits count.
        case manifest
        /// HEADs, which they do not.
        case head
        case blob
        case list
    }

    var kind: Kind
    var repository: RepositoryName
    /// Behind the repository's own path: `manifests/latest`.
    var resource: String
    var query: String?
    /// In bytes.
    var limit: Int64
    var accept: [String] = []
    var span: UpstreamRequest.Span?
    /// A later page of a list: asked for instead of `resource`, at the endpoint that named it.
    var page: UpstreamURL?

    var path: String { "/v2/\(repository)/\(resource)" }

    var scope: String { "repository:\(repository):pull" }

    /// The same without a body.
    var head: RegistryAsk {
        var head = self
        head.kind = .head
        return head
    }

    func request(at base: UpstreamURL) -> UpstreamRequest {
        let place = base.appending(path)
        return UpstreamRequest(
            page ?? UpstreamURL(origin: place.origin, path: place.path, query: query), limit: limit,
            span: span, accept: accept,
            method: kind == .head ? .head : .get, authorization: .none)
    }
}
