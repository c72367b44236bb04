import Synchronization

/// Which repositories were lately found open to anybody, or not: their content is then shared among all, or asked
/// for with each client's own credential.
///
/// Memory only, and bounded: what is forgotten is asked for again.
final class RepositoryClasses: Sendable {
    /// A repository that was made private goes on being taken for public this long, for what is held of it.
    private static let publicFor = Duration.seconds(3600)
    private static let privateFor = Duration.seconds(300)

    private let cache = Mutex(ExpiringCache<Repository, Bool>(limit: 4096))

    /// Nil when nobody knows.
    func isPublic(_ repository: Repository) -> Bool? {
        cache.withLock { $0.value(for: repository, now: .now) }
    }

    func learn(_ repository: Repository, isPublic: Bool) {
        let until = ContinuousClock.now + (isPublic ? Self.publicFor : Self.privateFor)
        cache.withLock { $0.set(isPublic, for: repository, until: until) }
    }
}
