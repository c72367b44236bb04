import ChunkStore
import Content
import Synchronization

/// What a request's path and query mean: the endpoint, the repository and its registry, and the name in the store of
/// what is asked for, with what was made of it for the last answer.
final class RegistryTarget: Sendable {
    /// What a digest is called in answers and logs.
    struct Face: Sendable {
        let digest: Digest
        let type: String?
        /// As text, for the audit log.
        let name: String
        /// Of a whole, fresh answer.
        let headers: Headers
    }

    let asked: RegistryRequest
    let repository: Repository
    let upstream: RegistryUpstream
    /// Of manifests and blobs.
    let reference: ReferenceName?
    /// What the audit log calls a manifest.
    let subject: String
    private let last = Mutex<Face?>(nil)

    init(_ asked: RegistryRequest, _ repository: Repository, _ upstream: RegistryUpstream) {
        (self.asked, self.repository, self.upstream) = (asked, repository, upstream)
        switch asked.endpoint {
        case .manifest(let reference):
            self.reference = repository.referenceName(of: reference)
            let name = reference.description
            subject = "\(repository)\(name.contains(":") ? "@" : ":")\(name)"
        case .blob(let digest):
            reference = repository.referenceName(of: digest)
            subject = "\(repository)@\(digest)"
        case .base, .catalog, .tags, .referrers: (reference, subject) = (nil, "\(repository)")
        }
    }

    /// How an object under this target is called.
    func face(_ digest: Digest, type: String?) -> Face {
        if let last = last.withLock({ $0 }), last.digest == digest, last.type == type { return last }
        var headers = RegistryAnswers.headers(digest, type: type)
        RegistryAnswers.finish(&headers, namespace: asked.namespace)
        let face = Face(digest: digest, type: type, name: "\(digest)", headers: headers)
        last.withLock { $0 = face }
        return face
    }
}
