import Content
import ProxyFront

/// A name of the store that belongs to an image, read back.
enum StoredImageName: Hashable, Sendable {
    case tag(Repository, Tag)
    case link(Repository, Digest)
    case part(Repository, Digest)
    /// A manifest that refers to another one.
    case subject(Repository, subject: Digest, Digest)

    /// Nil for any other name.
    init?(_ name: ReferenceName) {
        guard let end = name.text.firstIndex(of: "/") else { return nil }
        let kind = name.text[...end]
        guard [Repository.prefix[...], "oci-part/", "oci-subject/"].contains(kind) else { return nil }
        let rest = name.text[name.text.index(after: end)...]
        guard let slash = rest.firstIndex(of: "/"), let host = try? RegistryHost(rest[..<slash]),
            host.text == rest[..<slash]
        else { return nil }
        let path = rest[rest.index(after: slash)...]
        if let at = path.firstIndex(of: "@") {
            let digests = path[path.index(after: at)...].split(
                separator: "@", omittingEmptySubsequences: false
            )
            .map { try? Digest(parsing: $0) }
            guard let repository = Self.repository(host, path[..<at]), let digest = digests[0] else {
                return nil
            }
            switch (kind, digests.count) {
            case (Repository.prefix[...], 1): self = .link(repository, digest)
            case ("oci-part/", 1): self = .part(repository, digest)
            case ("oci-subject/", 2):
                guard let referrer = digests[1] else { return nil }
                self = .subject(repository, subject: digest, referrer)
            default: return nil
            }
        } else {
            guard kind == Repository.prefix, let colon = path.lastIndex(of: ":"),
                let repository = Self.repository(host, path[..<colon]),
                let tag = try? Tag(path[path.index(after: colon)...])
            else { return nil }
            self = .tag(repository, tag)
        }
    }

    private static func repository(_ host: RegistryHost, _ text: Substring) -> Repository? {
        guard let name = try? RepositoryName(text) else { return nil }
        return try? Repository(host, name)
    }
}
