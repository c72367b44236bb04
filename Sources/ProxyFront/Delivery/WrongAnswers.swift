import Content
import Synchronization

/// Remembers for a while which source gave wrong bytes for a digest: it is asked last for it.
final class WrongAnswers: Sendable {
    private struct Key: Hashable, Sendable {
        let source: String
        let digest: Digest
    }

    private static let lifetime = Duration.seconds(600)
    private let cache = Mutex(ExpiringCache<Key, Void>(limit: 1024))

    func note(_ source: String, for digest: Digest) {
        cache.withLock { $0.set((), for: Key(source: source, digest: digest), until: .now + Self.lifetime) }
    }

    /// The sources in their order, those behind the others that lied about `digest`.
    func ordered(
        _ sources: [Fallback<any BodySource>], for digest: Digest
    ) -> [Fallback<any BodySource>] {
        let now = ContinuousClock.now
        let (good, bad) = cache.withLock { cache in
            var (good, bad): ([Fallback<any BodySource>], [Fallback<any BodySource>]) = ([], [])
            for source in sources {
                let key = Key(source: source.member.name, digest: digest)
                if cache.value(for: key, now: now) == nil { good.append(source) } else { bad.append(source) }
            }
            return (good, bad)
        }
        return good + bad
    }
}
