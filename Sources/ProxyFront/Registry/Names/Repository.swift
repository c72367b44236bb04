public import Content

/// A repository of a registry, under its one canonical name: aliases are resolved, rewrite rules applied and
/// `library/` added before one is made.
public struct Repository: Hashable, Sendable, CustomStringConvertible {
    public let registry: RegistryHost
    public let name: RepositoryName

    /// - Throws: `RegistryNameError.tooLong` when both together have more than 255 bytes.
    public init(_ registry: RegistryHost, _ name: RepositoryName) throws(RegistryNameError) {
        let count = registry.text.utf8.count + 1 + name.text.utf8.count
        guard count <= RepositoryName.maximumByteCount else { throw .tooLong(count) }
        self.registry = registry
        self.name = name
    }

    /// `docker.io/library/nginx`
    public var description: String { "\(registry)/\(name)" }
}

/// The store's names for what a registry gives (docs/registry.md, "Names in the store").
extension Repository {
    /// What all names of images begin with.
    public static let prefix = "oci/"

    /// `oci/docker.io/library/nginx:1.27`: points at the manifest that the tag last stood for.
    public func referenceName(of tag: Tag) -> ReferenceName { name("oci/\(self):\(tag)") }

    /// `oci/docker.io/library/nginx@sha256:...`: the link of the repository to a manifest or blob that is held;
    /// its content type tells which. Nothing is served under a repository without one.
    public func referenceName(of digest: Digest) -> ReferenceName { name("oci/\(self)@\(digest)") }

    public func referenceName(of reference: ManifestReference) -> ReferenceName {
        switch reference {
        case .tag(let tag): referenceName(of: tag)
        case .digest(let digest): referenceName(of: digest)
        }
    }

    /// `oci-part/docker.io/library/nginx@sha256:...`: points at a held manifest of this repository that lists the
    /// digest, whether or not what it names is held.
    public func partName(of digest: Digest) -> ReferenceName { name("oci-part/\(self)@\(digest)") }

    /// `oci-tags/docker.io/library/nginx`: the tags that upstream listed last.
    public var tagsName: ReferenceName { name("oci-tags/\(self)") }

    /// `oci-referrers/docker.io/library/nginx@sha256:...`: the referrers that upstream listed last, unfiltered.
    public func referrersName(of digest: Digest) -> ReferenceName { name("oci-referrers/\(self)@\(digest)") }

    /// `oci-subject/docker.io/library/nginx@<subject>@<digest>`: points at a held manifest of that digest, whose
    /// subject is the first one.
    public func subjectName(of digest: Digest, subject: Digest) -> ReferenceName {
        name("\(subjectPrefix(subject))\(digest)")
    }

    /// What the names of all held referrers of `subject` begin with.
    public func subjectPrefix(_ subject: Digest) -> String { "oci-subject/\(self)@\(subject)@" }

    private func name(_ text: String) -> ReferenceName {
        do {
            return try ReferenceName(text)
        } catch {
            // At most 14 + 255 + 2 * (1 + 135) bytes, none of them a control character.
            preconditionFailure("a repository's names fit the store: \(error)")
        }
    }
}
