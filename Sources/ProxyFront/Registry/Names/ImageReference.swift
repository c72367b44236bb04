public import Content

/// An image as people write it: `nginx`, `quay.io/team/app:1.2`, `nginx:1.27@sha256:...`. A name without a
/// registry means Docker Hub, one of a single segment there its `library/`, and without tag and digest the tag
/// `latest` (the reference grammar of the distribution project).
public struct ImageReference: Hashable, Sendable, CustomStringConvertible {
    public let repository: Repository
    /// Nil when only a digest was given.
    public let tag: Tag?
    /// When both are given, the digest counts.
    public let digest: Digest?

    public init(_ repository: Repository, tag: Tag?, digest: Digest?) {
        self.repository = repository
        self.tag = tag ?? (digest == nil ? .latest : nil)
        self.digest = digest
    }

    /// - Throws: `RegistryNameError` naming the part that is wrong.
    public init(parsing text: String) throws(RegistryNameError) {
        var rest = text[...]
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            do throws(DigestError) { digest = try Digest(parsing: rest[rest.index(after: at)...]) } catch {
                throw .digest(error)
            }
            rest = rest[..<at]
        }
        var host = RegistryHost.dockerHub
        if let slash = rest.firstIndex(of: "/"), Self.isHost(rest[..<slash]) {
            host = try RegistryHost(rest[..<slash])
            rest = rest[rest.index(after: slash)...]
        }
        var tag: Tag?
        if let colon = rest.lastIndex(of: ":") {
            tag = try Tag(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        var name = try RepositoryName(rest)
        if host == .dockerHub, name.isOneSegment { name = try RepositoryName("library/\(name)") }
        self.init(try Repository(host, name), tag: tag, digest: digest)
    }

    /// Whether a first path segment is a registry and no part of a repository's name.
    package static func isHost(_ segment: some StringProtocol) -> Bool {
        segment == "localhost" || segment.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }
    }

    /// What the registry is asked for.
    public var manifest: ManifestReference {
        if let digest { .digest(digest) } else { .tag(tag ?? .latest) }
    }

    public var description: String {
        "\(repository)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    }
}
