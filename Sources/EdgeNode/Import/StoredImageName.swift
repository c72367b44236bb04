import Content
import ProxyFront

/// A name of the store that belongs to an image, read back.
enum StoredImageName: Hashable, Sendable {
    case tag(Repository, Tag)
    case link(Repository, Digest)
    case part(Repository, Digest)

    /// Nil for any other name.
    init?(_ name: ReferenceName) {
        let (isPart, rest): (Bool, Substring)
        if name.text.hasPrefix(Repository.prefix) {
            (isPart, rest) = (false, name.text.dropFirst(Repository.prefix.count))
        } else if name.text.hasPrefix("oci-part/") {
            (isPart, rest) = (true, name.text.dropFirst("oci-part/".count))
        } else {
            return nil
        }
        guard let slash = rest.firstIndex(of: "/"), let host = try? RegistryHost(rest[..<slash]),
            host.text == rest[..<slash]
        else { return nil }
        let path = rest[rest.index(after: slash)...]
        if let at = path.firstIndex(of: "@") {
            guard let repository = Self.repository(host, path[..<at]),
                let digest = try? Digest(parsing: path[path.index(after: at)...])
            else { return nil }
            self = isPart ? .part(repository, digest) : .link(repository, digest)
        } else {
            guard !isPart, let colon = path.lastIndex(of: ":"),
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
