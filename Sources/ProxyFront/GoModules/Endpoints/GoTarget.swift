import ChunkStore
import Content
import Synchronization

/// A file of the module proxy protocol with the headers that it was answered with last, while it was fresh.
final class GoTarget: Sendable {
    private struct Answer {
        let digest: Digest
        let verified: Verification
        let headers: Headers
    }

    let resource: GoResource
    private let last = Mutex<Answer?>(nil)

    init(_ resource: GoResource) { self.resource = resource }

    /// The headers of a fresh answer.
    func headers(_ digest: Digest, _ verified: Verification) -> Headers {
        if let last = last.withLock({ $0 }), last.digest == digest, last.verified == verified {
            return last.headers
        }
        let headers = GoAnswers.headers(resource, digest: digest, verified: verified, freshness: .fresh)
        last.withLock { $0 = Answer(digest: digest, verified: verified, headers: headers) }
        return headers
    }
}
