public import ChunkStore
public import Content

/// On whose behalf an upstream is asked. What is fetched with a credential is private, unless the same
/// repository was found open to anybody.
public enum UpstreamIdentity: Hashable, Sendable {
    /// Without any credential.
    case anonymous
    /// With what the node is configured with for the registry, if anything.
    case node
    /// With what the client brought; used for its own requests and kept nowhere.
    case client(UpstreamCredential)
}

/// What an upstream said of a manifest.
public struct ManifestFacts: Sendable, Equatable {
    /// `Docker-Content-Digest`; nil when the upstream does not send it.
    public var digest: Digest?
    public var mediaType: String
    /// In bytes, when announced.
    public var size: Int64?
    /// Public only when no credential was needed.
    public var access: AccessClass
    /// The upstream that answered, as references and logs name it.
    public var origin: String

    public init(digest: Digest?, mediaType: String, size: Int64?, access: AccessClass, origin: String) {
        self.digest = digest
        self.mediaType = mediaType
        self.size = size
        self.access = access
        self.origin = origin
    }
}

/// A list that an upstream gave, pages joined.
public struct RegistryList<Element: Sendable>: Sendable {
    public var elements: [Element]
    public var access: AccessClass
    public var origin: String

    public init(_ elements: [Element], access: AccessClass, origin: String) {
        self.elements = elements
        self.access = access
        self.origin = origin
    }
}

/// The registries that content is pulled through from, as the endpoints ask them (OCI distribution
/// specification 1.1). `RegistryClient` is the real one.
///
/// Every call throws `UpstreamFailure`; 401, 403 and 404 come as `.refused`, a used-up rate limit as
/// `.refused` with status 429 and its `Retry-After`.
public protocol RegistrySource: Sendable {
    /// Whether anything can be asked at present: false while the registry's breaker rests or its rate limit is
    /// used up.
    func isAsked(_ registry: RegistryHost) -> Bool

    /// HEAD of a manifest: costs nothing of a rate limit.
    /// - Parameter accept: what the client takes; empty = every type that the node knows.
    func head(
        _ reference: ManifestReference, of repository: Repository, accept: [String],
        as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> ManifestFacts

    /// GET of a manifest, at most `Manifest.limit` bytes. Bytes asked for by digest are those of that digest.
    func manifest(
        _ reference: ManifestReference, of repository: Repository, accept: [String],
        as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> (facts: ManifestFacts, bytes: [UInt8])

    /// HEAD of a blob: its size, when announced, and the repository's class.
    func headBlob(
        _ digest: Digest, of repository: Repository, as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> (size: Int64?, access: AccessClass)

    /// The places that a blob can come from, in the order in which they are asked.
    func blob(
        _ digest: Digest, of repository: Repository, as identity: UpstreamIdentity
    ) -> [any BodySource]

    /// Every tag of a repository.
    func tags(
        of repository: Repository, as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> RegistryList<String>

    /// Everything that refers to a manifest, by the referrers endpoint or, where an upstream has none, by the
    /// fallback tag (OCI distribution specification 1.1, "Unavailable Referrers API").
    func referrers(
        of digest: Digest, in repository: Repository, as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> RegistryList<Descriptor>
}
